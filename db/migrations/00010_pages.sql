-- +goose NO TRANSACTION
-- +goose Up

-- The links of a volume in a project, in their order, and the fulls that chains begin with: a list reads the chains that it shows.
CREATE INDEX CONCURRENTLY records_links ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, beat)), backup_id COLLATE "C")
    WHERE backup_id IS NOT NULL AND state IN ('creating', 'overdue', 'available', 'deleting', 'undeletable', 'lost', 'failed');
CREATE INDEX CONCURRENTLY records_heads ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, beat)), backup_id COLLATE "C")
    WHERE backup_id IS NOT NULL AND kind = 'full' AND state IN ('creating', 'overdue', 'available', 'undeletable', 'lost');
-- Where Cinder's clock was wrong the order of its times is another one.
CREATE INDEX CONCURRENTLY records_misdated ON records (volume_id, project_id) WHERE cinder_timestamp <> coalesce(data_timestamp, requested_at, beat);
-- What a tenant's overview reads.
CREATE INDEX CONCURRENTLY records_busy_of_project ON records (project_id) WHERE state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable');
CREATE INDEX CONCURRENTLY volumes_by_name ON volumes (project_name, name, id);
CREATE INDEX CONCURRENTLY findings_of_project ON findings (project_id);

-- +goose Down

DROP INDEX CONCURRENTLY findings_of_project;
DROP INDEX CONCURRENTLY volumes_by_name;
DROP INDEX CONCURRENTLY records_busy_of_project;
DROP INDEX CONCURRENTLY records_misdated;
DROP INDEX CONCURRENTLY records_heads;
DROP INDEX CONCURRENTLY records_links;
