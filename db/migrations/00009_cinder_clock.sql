-- +goose NO TRANSACTION
-- +goose Up

-- requested_at is the first request; this is the newest. What a time of Cinder outside of its bounds is replaced by.
ALTER TABLE records ADD COLUMN IF NOT EXISTS last_requested_at timestamptz;
-- Backups that a clock which ran ahead has dated: Cinder takes them for the newest until that time has passed.
DROP INDEX CONCURRENTLY IF EXISTS records_ahead;
CREATE INDEX CONCURRENTLY records_ahead ON records (volume_id, cinder_timestamp DESC)
    WHERE state = 'available' AND cinder_timestamp > data_timestamp;

-- +goose Down

DROP INDEX CONCURRENTLY IF EXISTS records_ahead;
ALTER TABLE records DROP COLUMN IF EXISTS last_requested_at;
