-- +goose Up

-- An absence from a listing is counted no longer (migration 7).
ALTER TABLE volumes DROP COLUMN absent_plans, DROP COLUMN absent_server_plans;

-- +goose Down

ALTER TABLE volumes ADD COLUMN absent_plans integer NOT NULL DEFAULT 0, ADD COLUMN absent_server_plans integer NOT NULL DEFAULT 0;
