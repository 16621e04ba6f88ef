-- +goose NO TRANSACTION
-- +goose Up

-- Since when Barbican says that it has the secret of an encrypted restore point no more; null: it has it, or nobody has looked.
ALTER TABLE records ADD COLUMN IF NOT EXISTS secret_gone_at timestamptz;
DROP INDEX CONCURRENTLY IF EXISTS records_secret_gone;
CREATE INDEX CONCURRENTLY records_secret_gone ON records (volume_id, project_id) WHERE secret_gone_at IS NOT NULL;

-- +goose Down

DROP INDEX CONCURRENTLY IF EXISTS records_secret_gone;
ALTER TABLE records DROP COLUMN IF EXISTS secret_gone_at;
