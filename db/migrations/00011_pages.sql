-- +goose NO TRANSACTION
-- +goose Up

-- Each index is dropped first: one that was interrupted is there, and of no use.
-- The links of a volume in a project, in their order, and the fulls that chains begin with: a list reads the chains that it shows.
DROP INDEX CONCURRENTLY IF EXISTS records_links;
CREATE INDEX CONCURRENTLY records_links ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, beat)), backup_id COLLATE "C")
    INCLUDE (retention, state, cinder_status)
    WHERE backup_id IS NOT NULL AND state IN ('creating', 'overdue', 'available', 'deleting', 'undeletable', 'lost', 'failed');
DROP INDEX CONCURRENTLY IF EXISTS records_heads;
CREATE INDEX CONCURRENTLY records_heads ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, beat)), backup_id COLLATE "C")
    WHERE backup_id IS NOT NULL AND kind = 'full' AND state IN ('creating', 'overdue', 'available', 'undeletable', 'lost');
-- What a forecast always looks at.
DROP INDEX CONCURRENTLY IF EXISTS records_odd;
CREATE INDEX CONCURRENTLY records_odd ON records (volume_id, project_id)
    WHERE backup_id IS NOT NULL AND state IN ('creating', 'overdue', 'deleting', 'undeletable', 'failed');
-- Where Cinder's clock was wrong the order of its times is another one.
DROP INDEX CONCURRENTLY IF EXISTS records_misdated;
CREATE INDEX CONCURRENTLY records_misdated ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, beat)))
    WHERE cinder_timestamp <> coalesce(data_timestamp, requested_at, beat);
-- What a tenant's overview reads.
DROP INDEX CONCURRENTLY IF EXISTS records_busy_of_project;
CREATE INDEX CONCURRENTLY records_busy_of_project ON records (project_id) WHERE state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable');
DROP INDEX CONCURRENTLY IF EXISTS volumes_by_name;
CREATE INDEX CONCURRENTLY volumes_by_name ON volumes (project_name, name, id);
DROP INDEX CONCURRENTLY IF EXISTS findings_of_project;
CREATE INDEX CONCURRENTLY findings_of_project ON findings (project_id);

-- +goose Down

DROP INDEX CONCURRENTLY IF EXISTS findings_of_project;
DROP INDEX CONCURRENTLY IF EXISTS volumes_by_name;
DROP INDEX CONCURRENTLY IF EXISTS records_busy_of_project;
DROP INDEX CONCURRENTLY IF EXISTS records_misdated;
DROP INDEX CONCURRENTLY IF EXISTS records_odd;
DROP INDEX CONCURRENTLY IF EXISTS records_heads;
DROP INDEX CONCURRENTLY IF EXISTS records_links;
