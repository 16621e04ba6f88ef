-- +goose Up

-- Nothing new starts: in one project, or in all ('').
CREATE TABLE pauses (
    project_id text        PRIMARY KEY,
    since      timestamptz NOT NULL,
    who        text        NOT NULL,
    why        text        NOT NULL
);

-- An operator asked for it, outside the interval.
ALTER TABLE records ADD COLUMN by_hand boolean NOT NULL DEFAULT false;

-- What people did by hand. The line is written before the deed; without an
-- outcome nobody knows how far it went.
CREATE TABLE audit (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    who        text        NOT NULL,
    action     text        NOT NULL CONSTRAINT audit_action CHECK (action IN ('backup-now', 'cancel', 'pause', 'resume', 'purge-project', 'confirm-lost')),
    object     text        NOT NULL,
    project_id text        NOT NULL,
    intent     text        NOT NULL,
    outcome    text        NOT NULL DEFAULT ''
);
CREATE INDEX audit_at ON audit (at DESC);

-- What ended lately, for admission.
CREATE INDEX records_ended ON records (ended_at) WHERE ended_at IS NOT NULL;

-- What was asked of Cinder to free a backup that hangs, and when.
ALTER TABLE records ADD COLUMN repair text NOT NULL DEFAULT '' CONSTRAINT records_repair CHECK (repair IN ('', 'force', 'reset'));
ALTER TABLE records ADD COLUMN repaired_at timestamptz;
ALTER TABLE records ADD CONSTRAINT records_repair_is_dated CHECK ((repair = '') = (repaired_at IS NULL));

-- The operator knows why so many restore points are missing: the next sweep believes it.
ALTER TABLE installation ADD COLUMN losses_accepted_at timestamptz;

-- Plans that listed the volume and none of its servers are counted apart from those that did not list the volume.
ALTER TABLE volumes ADD COLUMN absent_server_plans integer NOT NULL DEFAULT 0;

-- Removals that only waiting can mend: how often in a row, and until when.
ALTER TABLE volumes ADD COLUMN removal_failures integer NOT NULL DEFAULT 0;
ALTER TABLE volumes ADD COLUMN removal_next_try_at timestamptz;

-- The volume that a finding is about, where it is about one.
ALTER TABLE findings ADD COLUMN volume_id text NOT NULL DEFAULT '';

-- History also forgets what others removed.
DROP INDEX records_past;
CREATE INDEX records_past ON records (changed_at) WHERE state IN ('deleted', 'withdrawn', 'failed', 'lost');

-- +goose Down
DROP INDEX records_past;
CREATE INDEX records_past ON records (changed_at) WHERE state IN ('deleted', 'withdrawn', 'failed');
ALTER TABLE findings DROP COLUMN volume_id;
ALTER TABLE installation DROP COLUMN losses_accepted_at;
ALTER TABLE volumes DROP COLUMN absent_server_plans;
ALTER TABLE volumes DROP COLUMN removal_next_try_at;
ALTER TABLE volumes DROP COLUMN removal_failures;
ALTER TABLE records DROP CONSTRAINT records_repair_is_dated;
ALTER TABLE records DROP COLUMN repaired_at;
ALTER TABLE records DROP COLUMN repair;
DROP INDEX records_ended;
DROP TABLE audit;
ALTER TABLE records DROP COLUMN by_hand;
DROP TABLE pauses;
