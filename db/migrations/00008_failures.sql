-- +goose NO TRANSACTION
-- +goose Up

-- Whoever writes records goes on meanwhile. A step that broke off leaves an index that is not valid: it begins anew.

-- What a decision about a volume needs, without reading all its failures and removals.
DROP INDEX CONCURRENTLY IF EXISTS records_held;
CREATE INDEX CONCURRENTLY records_held ON records (volume_id, beat DESC)
    WHERE state IN ('available', 'deleting', 'undeletable', 'lost') AND available_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS records_leftovers;
CREATE INDEX CONCURRENTLY records_leftovers ON records (volume_id, beat DESC)
    WHERE available_at IS NULL AND (state IN ('deleting', 'undeletable') OR (state = 'failed' AND backup_id IS NOT NULL));
DROP INDEX CONCURRENTLY IF EXISTS records_removed;
CREATE INDEX CONCURRENTLY records_removed ON records (volume_id, project_id, beat DESC) WHERE state = 'deleted' AND available_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS records_failures;
CREATE INDEX CONCURRENTLY records_failures ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL))
        AND reason <> 'volume_status' AND NOT (kind = 'incremental' AND reason = 'backup_error');
DROP INDEX CONCURRENTLY IF EXISTS records_broken;
CREATE INDEX CONCURRENTLY records_broken ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL))
        AND kind = 'incremental' AND reason = 'backup_error';
DROP INDEX CONCURRENTLY IF EXISTS records_refusals;
CREATE INDEX CONCURRENTLY records_refusals ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL)) AND reason = 'volume_status';
-- What no report said of removals, what one said, and what is lost.
DROP INDEX CONCURRENTLY IF EXISTS records_removal_untold;
CREATE INDEX CONCURRENTLY records_removal_untold ON records (project_id, changed_at)
    WHERE removal_report_id IS NULL AND state IN ('deleted', 'lost') AND available_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS records_removal_told;
CREATE INDEX CONCURRENTLY records_removal_told ON records (removal_report_id) WHERE removal_report_id <> '';
DROP INDEX CONCURRENTLY IF EXISTS records_lost;
CREATE INDEX CONCURRENTLY records_lost ON records (volume_id) WHERE state = 'lost';

-- +goose Down

DROP INDEX CONCURRENTLY IF EXISTS records_lost;
DROP INDEX CONCURRENTLY IF EXISTS records_removal_told;
DROP INDEX CONCURRENTLY IF EXISTS records_removal_untold;
DROP INDEX CONCURRENTLY IF EXISTS records_refusals;
DROP INDEX CONCURRENTLY IF EXISTS records_broken;
DROP INDEX CONCURRENTLY IF EXISTS records_failures;
DROP INDEX CONCURRENTLY IF EXISTS records_removed;
DROP INDEX CONCURRENTLY IF EXISTS records_leftovers;
DROP INDEX CONCURRENTLY IF EXISTS records_held;
