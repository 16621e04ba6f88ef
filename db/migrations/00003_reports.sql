-- +goose Up

-- When somebody first wanted it: a report is due by that.
ALTER TABLE records ADD COLUMN created_at timestamptz;
UPDATE records SET created_at = beat;
ALTER TABLE records ALTER COLUMN created_at SET DEFAULT staffeln_now(), ALTER COLUMN created_at SET NOT NULL;

-- The report that tells how it ended; null: none yet. No reference: the record
-- stays told when the report is forgotten. What ended before there were reports
-- is history.
ALTER TABLE records ADD COLUMN report_id text;
UPDATE records SET report_id = '' WHERE ended_at IS NOT NULL;
CREATE INDEX records_untold ON records (project_id, created_at) WHERE report_id IS NULL AND ended_at IS NOT NULL AND state <> 'withdrawn';
CREATE INDEX records_told ON records (report_id) WHERE report_id <> '';
CREATE INDEX volumes_of_project ON volumes (project_id);

-- Since when it is protected in its project; null: it is not. One without a
-- restore point is told of by that.
ALTER TABLE volumes ADD COLUMN protected_since timestamptz;
UPDATE volumes v SET protected_since = coalesce((SELECT min(beat) FROM records WHERE volume_id = v.id AND project_id = v.project_id), decided_at, seen_at)
    WHERE protected;

-- Who is told together: a project, or 'all'. The lease lets one worker make and
-- send what the group gets.
CREATE TABLE report_groups (
    id          text        PRIMARY KEY,
    told_at     timestamptz,
    failures    integer     NOT NULL DEFAULT 0,
    next_try_at timestamptz,
    fault       text        NOT NULL DEFAULT '',
    lease_token text,
    lease_until timestamptz,
    CONSTRAINT report_groups_lease_whole CHECK ((lease_token IS NULL) = (lease_until IS NULL))
);

-- A report as it was made, for each further try.
CREATE TABLE reports (
    id          text        PRIMARY KEY,
    group_id    text        NOT NULL CONSTRAINT reports_group REFERENCES report_groups (id),
    made_at     timestamptz NOT NULL,
    -- null: nobody is still to get it, and it was forgotten
    content     jsonb,
    -- when the first receiver had it
    told_at     timestamptz,
    given_up_at timestamptz,
    CONSTRAINT reports_told_or_given_up CHECK (told_at IS NULL OR given_up_at IS NULL)
);
CREATE INDEX reports_of_group ON reports (group_id, made_at DESC);
CREATE INDEX reports_open ON reports (group_id) WHERE told_at IS NULL AND given_up_at IS NULL;
CREATE INDEX reports_made ON reports (made_at);

-- One receiver of one report.
CREATE TABLE report_mails (
    report_id   text        NOT NULL CONSTRAINT report_mails_report REFERENCES reports (id) ON DELETE CASCADE,
    receiver    text        NOT NULL,
    group_id    text        NOT NULL,
    message_id  text        NOT NULL,
    attempts    integer     NOT NULL DEFAULT 0,
    next_try_at timestamptz,
    sent_at     timestamptz,
    given_up_at timestamptz,
    answer      text        NOT NULL DEFAULT '',
    PRIMARY KEY (report_id, receiver),
    CONSTRAINT report_mails_sent_or_given_up CHECK (sent_at IS NULL OR given_up_at IS NULL)
);
CREATE INDEX report_mails_waiting ON report_mails (group_id) WHERE sent_at IS NULL AND given_up_at IS NULL;

ALTER TABLE leadership ADD COLUMN report_beat timestamptz;

-- +goose Down
ALTER TABLE leadership DROP COLUMN report_beat;
DROP TABLE report_mails;
DROP TABLE reports;
DROP TABLE report_groups;
DROP INDEX volumes_of_project;
ALTER TABLE volumes DROP COLUMN protected_since;
DROP INDEX records_told;
DROP INDEX records_untold;
ALTER TABLE records DROP COLUMN report_id;
ALTER TABLE records DROP COLUMN created_at;
