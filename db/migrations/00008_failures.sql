-- +goose Up

-- What a decision about a volume needs, without reading all its failures and removals.
CREATE INDEX records_held ON records (volume_id, beat DESC)
    WHERE state IN ('available', 'deleting', 'undeletable', 'lost') AND available_at IS NOT NULL;
CREATE INDEX records_leftovers ON records (volume_id, beat DESC)
    WHERE available_at IS NULL AND (state IN ('deleting', 'undeletable') OR (state = 'failed' AND backup_id IS NOT NULL));
CREATE INDEX records_removed ON records (volume_id, project_id, beat DESC) WHERE state = 'deleted' AND available_at IS NOT NULL;
CREATE INDEX records_failures ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL))
        AND reason <> 'volume_status' AND NOT (kind = 'incremental' AND reason = 'backup_error');
CREATE INDEX records_broken ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL))
        AND kind = 'incremental' AND reason = 'backup_error';
CREATE INDEX records_refusals ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL)) AND reason = 'volume_status';
-- When a project's quota got room.
CREATE INDEX records_freed ON records (project_id, changed_at) WHERE state = 'deleted';

-- +goose Down
DROP INDEX records_freed;
DROP INDEX records_refusals;
DROP INDEX records_broken;
DROP INDEX records_failures;
DROP INDEX records_removed;
DROP INDEX records_leftovers;
DROP INDEX records_held;
