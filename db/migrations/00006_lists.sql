-- +goose NO TRANSACTION
-- +goose Up

-- Pages of backups, of all projects and of one: the order of (*Look).Backups.
CREATE INDEX CONCURRENTLY records_by_time ON records ((coalesce(data_timestamp, requested_at, beat)) DESC, volume_name, id);
CREATE INDEX CONCURRENTLY records_of_project_by_time ON records (project_id, (coalesce(data_timestamp, requested_at, beat)) DESC, volume_name, id);

-- +goose Down

DROP INDEX CONCURRENTLY records_of_project_by_time;
DROP INDEX CONCURRENTLY records_by_time;
