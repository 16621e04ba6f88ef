-- +goose Up

-- What the newest plan could not tell; the state before stands.
ALTER TABLE volumes ADD COLUMN unknown boolean NOT NULL DEFAULT false;
-- When it came from another project: that one may still own restore points of it, and their own retention rules them.
ALTER TABLE volumes ADD COLUMN transferred_at timestamptz;
-- How many plans in a row saw it detached; an absence from a listing is counted no longer, it is asked about by ID.
ALTER TABLE volumes ADD COLUMN detached_plans integer NOT NULL DEFAULT 0;
-- A plan reads what is there, and forgetting what is gone.
CREATE INDEX volumes_present ON volumes (id) WHERE gone_at IS NULL;
CREATE INDEX volumes_gone ON volumes (gone_at) WHERE gone_at IS NOT NULL;
ALTER TABLE volumes ADD COLUMN migration text NOT NULL DEFAULT '';
-- For how long plans in a row saw the shorter retention, and the newest of them.
ALTER TABLE volumes ADD COLUMN shorter_seen interval NOT NULL DEFAULT '0';
ALTER TABLE volumes ADD COLUMN shorter_seen_at timestamptz;

-- The time of its data as Cinder has it, which orders the backups of a volume; data_timestamp is bounded by our own times.
ALTER TABLE records ADD COLUMN cinder_timestamp timestamptz;
-- The report that says that the restore point was removed; null: none yet. What
-- was removed before reports said so is history.
ALTER TABLE records ADD COLUMN removal_report_id text;
-- Both at once: each update writes the whole table anew.
UPDATE records SET cinder_timestamp = data_timestamp, removal_report_id = CASE WHEN state IN ('deleted', 'lost') THEN '' END
    WHERE data_timestamp IS NOT NULL OR state IN ('deleted', 'lost');

-- Protection that ended in a project while restore points of the volume are left there.
CREATE TABLE protection_ends (
    volume_id   text        NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    project_id  text        NOT NULL,
    ended_at    timestamptz NOT NULL,
    reason      text        NOT NULL CONSTRAINT protection_ends_reason CHECK (reason IN ('metadata', 'detached', 'server_deleted', 'volume_deleted', 'transferred')),
    server_id   text        NOT NULL,
    server_name text        NOT NULL,
    PRIMARY KEY (volume_id, project_id)
);

-- The operator knows why so many servers or volumes are missing: plans believe the answers by ID.
ALTER TABLE installation ADD COLUMN absences_accepted_at timestamptz;

-- Two projects can have the same finding about one volume.
ALTER TABLE findings DROP CONSTRAINT findings_pkey;
ALTER TABLE findings ADD CONSTRAINT findings_pkey PRIMARY KEY (reason, object, project_id);

-- What is told at once, by a mail of its own.
CREATE TABLE notices (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    made_at     timestamptz NOT NULL,
    kind        text        NOT NULL CONSTRAINT notices_kind CHECK (kind IN ('protection_ended', 'retention_shortened')),
    project_id  text        NOT NULL,
    volume_id   text        NOT NULL,
    content     jsonb       NOT NULL,
    report_id   text,       -- the project's mail about it; null: none yet; empty: the log had it
    operator_report_id text -- the same for the operator
);
CREATE INDEX notices_unsent ON notices (project_id) WHERE report_id IS NULL;
CREATE INDEX notices_unsent_to_operator ON notices (project_id) WHERE operator_report_id IS NULL;
CREATE INDEX notices_of_volume ON notices (volume_id, project_id, kind, made_at);
CREATE INDEX notices_made ON notices (made_at);
CREATE INDEX notices_in_report ON notices (report_id) WHERE report_id <> '';
CREATE INDEX notices_in_operator_report ON notices (operator_report_id) WHERE operator_report_id <> '';
CREATE INDEX volumes_shorter ON volumes (id) WHERE shorter IS NOT NULL;
ALTER TABLE reports ADD COLUMN kind text NOT NULL DEFAULT 'report' CONSTRAINT reports_kind CHECK (kind IN ('report', 'notice'));

-- +goose Down
ALTER TABLE records DROP COLUMN removal_report_id;
DELETE FROM reports WHERE kind <> 'report';
ALTER TABLE reports DROP COLUMN kind;
DROP INDEX volumes_shorter;
DROP TABLE notices;
DELETE FROM findings a USING findings b WHERE a.reason = b.reason AND a.object = b.object AND a.project_id > b.project_id;
ALTER TABLE findings DROP CONSTRAINT findings_pkey;
ALTER TABLE findings ADD CONSTRAINT findings_pkey PRIMARY KEY (reason, object);
ALTER TABLE installation DROP COLUMN absences_accepted_at;
DROP TABLE protection_ends;
ALTER TABLE records DROP COLUMN cinder_timestamp;
ALTER TABLE volumes DROP COLUMN shorter_seen_at;
ALTER TABLE volumes DROP COLUMN shorter_seen;
ALTER TABLE volumes DROP COLUMN migration;
DROP INDEX volumes_gone;
DROP INDEX volumes_present;
ALTER TABLE volumes DROP COLUMN detached_plans;
ALTER TABLE volumes DROP COLUMN transferred_at;
ALTER TABLE volumes DROP COLUMN unknown;
