-- +goose Up

-- Who we are to Cinder: the user that scheduler and workers sign in as. They
-- write it at their start; the delete check reads it.
ALTER TABLE installation ADD COLUMN service_user_id text NOT NULL DEFAULT '';

-- Who asked Cinder to delete a backup, and what we answered: a row for each
-- hour, answer and person; of a refusal for each backup too, of what was
-- allowed the sum ('').
CREATE TABLE delete_checks (
    hour       timestamptz NOT NULL,
    answer     text        NOT NULL CONSTRAINT delete_checks_answer CHECK (answer IN ('allowed', 'refused')),
    verdict    text        NOT NULL,
    backup_id  text        NOT NULL,
    user_id    text        NOT NULL,
    project_id text        NOT NULL,
    roles      text        NOT NULL,
    asked      bigint      NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (hour, answer, verdict, backup_id, user_id, project_id, roles),
    CONSTRAINT delete_checks_refusal_names_the_backup CHECK (answer = 'allowed' OR backup_id <> '' OR verdict = 'more')
);
CREATE INDEX delete_checks_last ON delete_checks (answer, last_at DESC);

-- +goose Down
DROP TABLE delete_checks;
ALTER TABLE installation DROP COLUMN service_user_id;
