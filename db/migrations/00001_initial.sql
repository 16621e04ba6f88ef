-- +goose Up

-- The one clock for leases, ages, deadlines and what is due. It is a function so
-- that tests can replace it for every reader at once.
-- +goose StatementBegin
CREATE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';
-- +goose StatementEnd

-- One row. The ID is in the tag of each backup: a restored dump keeps it, a
-- second installation has another one.
CREATE TABLE installation (
    singleton             boolean     PRIMARY KEY DEFAULT true CONSTRAINT installation_singleton CHECK (singleton),
    id                    text        NOT NULL DEFAULT gen_random_uuid()::text,
    created_at            timestamptz NOT NULL DEFAULT staffeln_now(),
    -- The user that scheduler and workers sign in to OpenStack as. They write it when they start; the delete check reads it.
    service_user_id       text        NOT NULL DEFAULT '',
    -- When an operator confirmed that many restore points are really gone: the next reconcile run records them as lost.
    losses_confirmed_at   timestamptz,
    -- The same for servers and volumes: the next plans accept the responses of Nova and Cinder by ID.
    absences_confirmed_at timestamptz
);
INSERT INTO installation DEFAULT VALUES;

-- One row: the scheduler that leads. Each of its writes names the term.
CREATE TABLE leadership (
    singleton     boolean PRIMARY KEY DEFAULT true CONSTRAINT leadership_singleton CHECK (singleton),
    term          bigint  NOT NULL DEFAULT 0,
    leader        text    NOT NULL DEFAULT '',
    since         timestamptz,
    -- The newest run of each kind; null: there was none.
    planned_at    timestamptz,
    dispatched_at timestamptz,
    retention_at  timestamptz,
    reconciled_at timestamptz,
    reported_at   timestamptz
);
INSERT INTO leadership DEFAULT VALUES;

-- What operators asked the leader to run at once: the newest request of each kind of run. ended_at is null until a run that
-- began after the request has ended.
CREATE TABLE run_requests (
    run      text        PRIMARY KEY CONSTRAINT run_requests_run CHECK (run IN ('plan', 'reconcile')),
    asked_at timestamptz NOT NULL,
    began_at timestamptz,
    ended_at timestamptz,
    failed   boolean     NOT NULL DEFAULT false,
    outcome  text        NOT NULL DEFAULT ''
);

-- Schedulers and workers that run: each renews seen_at every few seconds, and deletes its row when it ends.
CREATE TABLE processes (
    kind       text        NOT NULL CONSTRAINT processes_kind CHECK (kind IN ('scheduler', 'worker')),
    name       text        NOT NULL, -- host and process ID
    version    text        NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (kind, name)
);

-- What the newest plans saw of each volume, and who works on it.
CREATE TABLE volumes (
    id                        text        PRIMARY KEY,
    name                      text        NOT NULL,
    project_id                text        NOT NULL,
    project_name              text        NOT NULL,
    -- the server that protects it, or the last one that did
    server_id                 text        NOT NULL,
    server_name               text        NOT NULL,
    -- the server that it is attached to, also one that does not ask for backups; empty: it is attached to none
    attached_id               text        NOT NULL DEFAULT '',
    attached_name             text        NOT NULL DEFAULT '',
    availability_zone         text        NOT NULL,
    status                    text        NOT NULL,
    migration_status          text        NOT NULL DEFAULT '',
    size_gib                  integer     NOT NULL,
    encrypted                 boolean     NOT NULL,
    protected                 boolean     NOT NULL,
    -- since when it is protected in its project; null: it is not
    protected_since           timestamptz,
    -- the newest plan could not find out whether it is protected, or whether it exists; the rest is what was known before
    unknown                   boolean     NOT NULL DEFAULT false,
    -- null: it was never protected. It is kept when protection ends.
    retention                 interval,
    retention_source          text        CONSTRAINT volumes_retention_source CHECK (retention_source IN ('default', 'metadata')),
    -- a shorter retention from metadata that is not in force yet: since when, for how long consecutive plans saw it, and the newest of them
    shorter_retention         interval,
    shorter_retention_since   timestamptz,
    shorter_retention_seen    interval    NOT NULL DEFAULT '0',
    shorter_retention_seen_at timestamptz,
    -- when it came from another project. That one may still own restore points of it, which keep their own retention.
    transferred_at            timestamptz,
    seen_at                   timestamptz NOT NULL,
    -- consecutive plans that saw it detached from the server that protects it
    detached_plans            integer     NOT NULL DEFAULT 0,
    gone_at                   timestamptz,
    -- the newest decision
    action                    text        NOT NULL DEFAULT '',
    reason                    text        NOT NULL DEFAULT '',
    decided_at                timestamptz,
    decision_until            timestamptz,
    -- when a retention run found a backup of it to delete, how many tries in a row failed, and when the next one may be
    removal_due_at            timestamptz,
    removal_failures          integer     NOT NULL DEFAULT 0,
    removal_next_try_at       timestamptz,
    -- how long a backup of it usually takes, by the last ones; null: none ended well yet
    usual_duration            interval,
    lease_token               text,
    lease_until               timestamptz,
    lease_kind                text,
    CONSTRAINT volumes_lease_complete CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT volumes_shorter_retention_dated CHECK ((shorter_retention IS NULL) = (shorter_retention_since IS NULL)),
    CONSTRAINT volumes_protected_has_retention CHECK (NOT protected OR retention IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX volumes_by_name ON volumes (project_name, name, id);
CREATE INDEX volumes_of_project ON volumes (project_id);
CREATE INDEX volumes_present ON volumes (id) WHERE gone_at IS NULL;
CREATE INDEX volumes_gone ON volumes (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX volumes_removal_due ON volumes (removal_due_at) WHERE removal_due_at IS NOT NULL;
CREATE INDEX volumes_shorter_retention ON volumes (id) WHERE shorter_retention IS NOT NULL;

-- One row per backup that was ever wanted.
CREATE TABLE records (
    id                     text        PRIMARY KEY DEFAULT gen_random_uuid()::text,
    project_id             text        NOT NULL,
    project_name           text        NOT NULL,
    server_id              text        NOT NULL,
    server_name            text        NOT NULL,
    volume_id              text        NOT NULL CONSTRAINT records_volume REFERENCES volumes (id),
    volume_name            text        NOT NULL,
    availability_zone      text        NOT NULL,
    size_gib               integer     NOT NULL,
    encrypted              boolean     NOT NULL,
    state                  text        NOT NULL CONSTRAINT records_state CHECK (state IN (
        'planned', 'creating', 'overdue', 'available', 'deleting', 'deleted', 'withdrawn', 'failed', 'lost', 'undeletable')),
    kind                   text        NOT NULL CONSTRAINT records_kind CHECK (kind IN ('full', 'incremental')),
    -- a full backup that the depth did not require
    forced_full            boolean     NOT NULL DEFAULT false,
    -- an operator requested it, independent of the interval
    manual                 boolean     NOT NULL DEFAULT false,
    -- in force when it was planned
    retention              interval    NOT NULL,
    -- the time of the plan, on the grid of the service period
    planned_at             timestamptz NOT NULL,
    created_at             timestamptz NOT NULL DEFAULT staffeln_now(),
    -- the data timestamp of the volume's newest restore point when it was planned
    last_point_at          timestamptz,
    admitted_at            timestamptz,
    -- why the newest dispatch run did not admit it; '': it did, or has not seen it yet
    held                   text        NOT NULL DEFAULT '',
    -- requests to create the backup: the first, the newest, and the newest if its response is unknown
    requested_at           timestamptz,
    last_requested_at      timestamptz,
    unanswered_request_at  timestamptz,
    attempts               integer     NOT NULL DEFAULT 0,
    deadline               timestamptz,
    next_try_at            timestamptz,
    -- when it entered its state
    changed_at             timestamptz NOT NULL,
    -- when Cinder began and ended its creation: Cinder's times within the bounds of ours; null: not known
    started_at             timestamptz,
    finished_at            timestamptz,
    -- when we saw it available; when the attempt ended: it was seen available, failed or was withdrawn
    available_at           timestamptz,
    ended_at               timestamptz,
    backup_id              text,
    backup_name            text        NOT NULL DEFAULT '',
    cinder_status          text        NOT NULL DEFAULT '',
    -- The time of its data. Cinder's value orders the backups of a volume; ours is Cinder's within the bounds of our own times.
    data_timestamp         timestamptz,
    cinder_timestamp       timestamptz,
    -- of the state: code, full text, and OpenStack's ID of the request
    reason                 text        NOT NULL DEFAULT '',
    reason_text            text        NOT NULL DEFAULT '',
    cloud_request_id       text        NOT NULL DEFAULT '',
    -- why it is deleted, or can't be; of an available one: why its newest removal was refused, or that a foreign backup builds on it
    removal_reason         text        NOT NULL DEFAULT '',
    removal_text           text        NOT NULL DEFAULT '',
    deletion_requested_at  timestamptz,
    deletion_refused_since timestamptz,
    -- the newest step that was taken to free a backup that hangs
    repair                 text        NOT NULL DEFAULT '' CONSTRAINT records_repair CHECK (repair IN ('', 'force', 'reset')),
    repaired_at            timestamptz,
    -- the newest reconcile run that saw it in Cinder's listing
    last_seen_at           timestamptz,
    -- since when Barbican no longer has the secret of an encrypted restore point; null: it has it, or nobody has checked
    secret_gone_at         timestamptz,
    -- The report that has the outcome, and the one that has the removal; null: none yet. No foreign key: a record remains reported when the report is deleted.
    report_id              text,
    removal_report_id      text,
    CONSTRAINT records_planned_not_requested CHECK (state NOT IN ('planned', 'withdrawn') OR (backup_id IS NULL AND requested_at IS NULL)),
    CONSTRAINT records_creating_requested CHECK (state NOT IN ('creating', 'overdue') OR (requested_at IS NOT NULL AND deadline IS NOT NULL)),
    CONSTRAINT records_available_has_backup CHECK (state NOT IN ('available', 'lost') OR (backup_id IS NOT NULL AND available_at IS NOT NULL AND data_timestamp IS NOT NULL)),
    CONSTRAINT records_removed_has_backup CHECK (state NOT IN ('deleting', 'deleted', 'undeletable') OR backup_id IS NOT NULL),
    CONSTRAINT records_end_dated CHECK ((state IN ('planned', 'creating', 'overdue')) = (ended_at IS NULL)),
    CONSTRAINT records_failure_has_reason CHECK (state NOT IN ('failed', 'withdrawn') OR reason <> ''),
    CONSTRAINT records_unanswered_or_backup CHECK (unanswered_request_at IS NULL OR backup_id IS NULL),
    CONSTRAINT records_backup_id_not_empty CHECK (backup_id <> ''),
    CONSTRAINT records_repair_dated CHECK ((repair = '') = (repaired_at IS NULL))
) WITH (fillfactor = 80);

-- The guarantee: one backup in progress per volume. The uniqueness of the queue only saves work.
CREATE UNIQUE INDEX records_one_in_progress ON records (volume_id) WHERE state IN ('planned', 'creating', 'overdue');
CREATE UNIQUE INDEX records_one_per_backup ON records (backup_id) WHERE backup_id IS NOT NULL;
CREATE INDEX records_of_volume ON records (volume_id, planned_at DESC);

-- The conditions on a state below are those of predicates.go, and a test compares them.

-- What a dispatch run reads, and what a tenant's overview shows as unfinished.
CREATE INDEX records_with_work ON records (state, volume_id)
    WHERE state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable') OR (state = 'failed' AND backup_id IS NOT NULL);
CREATE INDEX records_unfinished_of_project ON records (project_id) WHERE state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable');
-- What ended recently: for admission, and to count what came of the attempts of all projects and of one.
CREATE INDEX records_ended ON records (ended_at) INCLUDE (project_id, state, available_at, reason) WHERE ended_at IS NOT NULL;
CREATE INDEX records_ended_of_project ON records (project_id, ended_at) WHERE ended_at IS NOT NULL;
-- What is being restored at the moment: a few.
CREATE INDEX records_restoring ON records (backup_id) WHERE cinder_status = 'restoring';
-- Restore points on which foreign backups build.
CREATE INDEX records_foreign_dependent ON records (volume_id) WHERE state = 'available' AND removal_reason = 'foreign_dependent';
-- What history may forget.
CREATE INDEX records_past ON records (changed_at) WHERE state IN ('deleted', 'withdrawn', 'failed', 'lost');
CREATE INDEX records_secret_gone ON records (volume_id, project_id) WHERE secret_gone_at IS NOT NULL;

-- What a decision about a volume needs, however many backups of it failed or were deleted.
CREATE INDEX records_restore_points ON records (volume_id, data_timestamp) WHERE state = 'available';
CREATE INDEX records_fulls ON records (volume_id, planned_at DESC) WHERE state = 'available' AND kind = 'full';
CREATE INDEX records_made ON records (volume_id, planned_at DESC)
    WHERE state IN ('available', 'deleting', 'undeletable', 'lost') AND available_at IS NOT NULL;
CREATE INDEX records_leftovers ON records (volume_id, planned_at DESC)
    WHERE available_at IS NULL AND (state IN ('deleting', 'undeletable') OR (state = 'failed' AND backup_id IS NOT NULL));
CREATE INDEX records_deleted ON records (volume_id, project_id, planned_at DESC) WHERE state = 'deleted' AND available_at IS NOT NULL;
-- The newest attempt of a volume, with any result.
CREATE INDEX records_attempts ON records (volume_id, project_id, ended_at DESC)
    WHERE state IN ('available', 'deleting', 'deleted', 'failed', 'lost', 'undeletable');
CREATE INDEX records_lost ON records (volume_id) WHERE state = 'lost';
CREATE INDEX records_failures ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL))
        AND reason <> 'volume_status' AND NOT (kind = 'incremental' AND reason = 'backup_error');
CREATE INDEX records_incremental_failures ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL))
        AND kind = 'incremental' AND reason = 'backup_error';
CREATE INDEX records_volume_status_failures ON records (volume_id, project_id, ended_at DESC)
    WHERE available_at IS NULL AND (state = 'deleted' OR (state = 'failed' AND backup_id IS NULL)) AND reason = 'volume_status';
-- Backups that Cinder dated in the future: it takes them for the newest until that time has passed.
CREATE INDEX records_dated_ahead ON records (volume_id, cinder_timestamp DESC)
    WHERE state = 'available' AND cinder_timestamp > data_timestamp;

-- What is not reported yet, and what was reported.
CREATE INDEX records_unreported ON records (project_id, created_at) WHERE report_id IS NULL AND ended_at IS NOT NULL AND state <> 'withdrawn';
CREATE INDEX records_reported ON records (report_id) WHERE report_id <> '';
CREATE INDEX records_removal_unreported ON records (project_id, changed_at)
    WHERE removal_report_id IS NULL AND state IN ('deleted', 'lost') AND available_at IS NOT NULL;
CREATE INDEX records_removal_reported ON records (removal_report_id) WHERE removal_report_id <> '';

-- Pages of backups, of all projects and of one.
CREATE INDEX records_by_time ON records ((coalesce(data_timestamp, requested_at, created_at)) DESC, volume_name, id);
CREATE INDEX records_of_project_by_time ON records (project_id, (coalesce(data_timestamp, requested_at, created_at)) DESC, volume_name, id);
CREATE INDEX records_by_name ON records (volume_name, (coalesce(data_timestamp, requested_at, created_at)), id);
-- The links of a volume in a project in their order, and the fulls that begin chains.
CREATE INDEX records_links ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, created_at)), backup_id COLLATE "C")
    INCLUDE (retention, state, cinder_status)
    WHERE backup_id IS NOT NULL AND state IN ('creating', 'overdue', 'available', 'deleting', 'undeletable', 'lost', 'failed');
CREATE INDEX records_chain_heads ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, created_at)), backup_id COLLATE "C")
    WHERE backup_id IS NOT NULL AND kind = 'full' AND state IN ('creating', 'overdue', 'available', 'undeletable', 'lost');
-- Links that are being made or deleted, or ended badly: an expiry forecast always reads them.
CREATE INDEX records_unsettled_links ON records (volume_id, project_id)
    WHERE backup_id IS NOT NULL AND state IN ('creating', 'overdue', 'deleting', 'undeletable', 'failed');
-- Where Cinder's clock was wrong, its times give another order.
CREATE INDEX records_misdated ON records (volume_id, project_id, (coalesce(data_timestamp, requested_at, created_at)))
    WHERE cinder_timestamp <> coalesce(data_timestamp, requested_at, created_at);

-- What a project has stored.
CREATE INDEX records_stored ON records (project_id) INCLUDE (project_name, size_gib, available_at) WHERE state = 'available' AND cinder_status <> 'error';

-- What came of the attempts of a project on a day of UTC, and what it had stored at the end of that day. The days before the
-- newest one are complete; the newest one is as of the last retention run.
CREATE TABLE project_days (
    day          date    NOT NULL,
    project_id   text    NOT NULL,
    project_name text    NOT NULL,
    succeeded    integer NOT NULL,
    failures     jsonb   NOT NULL, -- how many attempts failed, by reason
    points       integer NOT NULL, -- restore points
    gib          bigint  NOT NULL, -- of the volumes when they were backed up, as Cinder's quota counts
    PRIMARY KEY (day, project_id)
);
CREATE INDEX project_days_of_project ON project_days (project_id, day);

-- Cinder's limits on the backups of a project, as they were read last.
CREATE TABLE project_quotas (
    project_id    text        PRIMARY KEY,
    backups_limit integer     NOT NULL, -- -1: unlimited
    backups_used  integer     NOT NULL, -- with what is reserved
    gib_limit     integer     NOT NULL,
    gib_used      integer     NOT NULL,
    read_at       timestamptz NOT NULL
);

-- Protection that ended in a project that still has restore points of the volume.
CREATE TABLE protection_ends (
    volume_id   text        NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
    project_id  text        NOT NULL,
    ended_at    timestamptz NOT NULL,
    reason      text        NOT NULL CONSTRAINT protection_ends_reason CHECK (reason IN ('metadata', 'detached', 'server_deleted', 'volume_deleted', 'transferred')),
    server_id   text        NOT NULL,
    server_name text        NOT NULL,
    PRIMARY KEY (volume_id, project_id)
);

-- What somebody should know, or take action on; one row each, as long as it is seen.
CREATE TABLE findings (
    reason     text        NOT NULL,
    object     text        NOT NULL,
    project_id text        NOT NULL,
    -- the object's name, where the one who found it knew it
    object_name text       NOT NULL DEFAULT '',
    -- the volume that it is about, where it is about one
    volume_id  text        NOT NULL DEFAULT '',
    detail     text        NOT NULL,
    since      timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (reason, object, project_id)
);
CREATE INDEX findings_of_project ON findings (project_id);

-- The findings that the webhook's receiver has got, and what it got.
CREATE TABLE reported_findings (
    reason     text        NOT NULL,
    object     text        NOT NULL,
    project_id text        NOT NULL,
    since      timestamptz NOT NULL,
    content    jsonb       NOT NULL,
    PRIMARY KEY (reason, object, project_id)
);

-- Nothing new starts in a project, or in all ('').
CREATE TABLE pauses (
    project_id text        PRIMARY KEY,
    since      timestamptz NOT NULL,
    who        text        NOT NULL,
    why        text        NOT NULL
);

-- What operators did. The line is written before the action; without an outcome it is not known how far the action went.
CREATE TABLE audit (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    who        text        NOT NULL,
    action     text        NOT NULL CONSTRAINT audit_action CHECK (action IN ('backup-now', 'cancel', 'pause', 'resume', 'purge-project', 'confirm-lost', 'plan', 'reconcile', 'import')),
    object     text        NOT NULL,
    project_id text        NOT NULL,
    -- the names that they had then
    object_name  text      NOT NULL DEFAULT '',
    project_name text      NOT NULL DEFAULT '',
    intent     text        NOT NULL,
    outcome    text        NOT NULL DEFAULT ''
);
CREATE INDEX audit_at ON audit (at DESC);

-- Who asked Cinder to delete a backup: a row for each hour, outcome and user that a verified caller named, and the sums of
-- the others. backup_id is the newest that was refused.
CREATE TABLE delete_checks (
    hour       timestamptz NOT NULL,
    outcome    text        NOT NULL CONSTRAINT delete_checks_outcome CHECK (outcome IN ('allowed', 'refused')),
    judgement  text        NOT NULL,
    verified   boolean     NOT NULL,
    user_id    text        NOT NULL,
    project_id text        NOT NULL,
    roles      text        NOT NULL,
    backup_id  text        NOT NULL,
    asked      bigint      NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (hour, outcome, judgement, verified, user_id, project_id, roles)
);
CREATE INDEX delete_checks_last ON delete_checks (outcome, last_at DESC);

-- Refusals by the minute, of all replicas, to detect bursts. They are kept for a day.
CREATE TABLE delete_refusals (
    minute     timestamptz NOT NULL,
    verified   boolean     NOT NULL,
    user_id    text        NOT NULL CONSTRAINT delete_refusals_names_verified CHECK (verified OR user_id = ''),
    project_id text        NOT NULL,
    refused    bigint      NOT NULL,
    burst      boolean     NOT NULL,
    PRIMARY KEY (minute, verified, user_id)
);

-- Who gets one report together: a project, or 'all'. The lease lets one worker make and send it.
CREATE TABLE report_groups (
    id           text        PRIMARY KEY,
    delivered_at timestamptz, -- the newest report
    failures     integer     NOT NULL DEFAULT 0,
    next_try_at  timestamptz,
    fault        text        NOT NULL DEFAULT '',
    lease_token  text,
    lease_until  timestamptz,
    CONSTRAINT report_groups_lease_complete CHECK ((lease_token IS NULL) = (lease_until IS NULL))
);

-- A report or notice as it was made, for each further try to send it.
CREATE TABLE reports (
    id           text        PRIMARY KEY,
    group_id     text        NOT NULL CONSTRAINT reports_group REFERENCES report_groups (id),
    kind         text        NOT NULL DEFAULT 'report' CONSTRAINT reports_kind CHECK (kind IN ('report', 'notice')),
    created_at   timestamptz NOT NULL,
    content      jsonb,       -- null: nobody still waits for it, and it was forgotten
    delivered_at timestamptz, -- to the first receiver
    given_up_at  timestamptz,
    CONSTRAINT reports_delivered_or_given_up CHECK (delivered_at IS NULL OR given_up_at IS NULL)
);
CREATE INDEX reports_of_group ON reports (group_id, created_at DESC);
CREATE INDEX reports_open ON reports (group_id) WHERE delivered_at IS NULL AND given_up_at IS NULL;
CREATE INDEX reports_by_time ON reports (created_at);

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
    reply       text        NOT NULL DEFAULT '', -- of the mail server
    PRIMARY KEY (report_id, receiver),
    CONSTRAINT report_mails_sent_or_given_up CHECK (sent_at IS NULL OR given_up_at IS NULL)
);
CREATE INDEX report_mails_waiting ON report_mails (group_id) WHERE sent_at IS NULL AND given_up_at IS NULL;

-- What is sent at once, in a mail of its own.
CREATE TABLE notices (
    id                 bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at         timestamptz NOT NULL,
    kind               text        NOT NULL CONSTRAINT notices_kind CHECK (kind IN ('protection_ended', 'retention_shortened')),
    project_id         text        NOT NULL,
    volume_id          text        NOT NULL,
    content            jsonb       NOT NULL,
    report_id          text, -- the mail to the project; null: none yet; empty: it was only logged
    operator_report_id text  -- the same for the operator
);
CREATE INDEX notices_unsent ON notices (project_id) WHERE report_id IS NULL;
CREATE INDEX notices_unsent_to_operator ON notices (project_id) WHERE operator_report_id IS NULL;
CREATE INDEX notices_of_volume ON notices (volume_id, project_id, kind, created_at);
CREATE INDEX notices_by_time ON notices (created_at);
CREATE INDEX notices_in_report ON notices (report_id) WHERE report_id <> '';
CREATE INDEX notices_in_operator_report ON notices (operator_report_id) WHERE operator_report_id <> '';

-- One row: what the api's replicas encrypt their cookies with. The first replica that needs it makes it.
CREATE TABLE session_key (
    singleton boolean PRIMARY KEY DEFAULT true CONSTRAINT session_key_singleton CHECK (singleton),
    key       bytea   NOT NULL CONSTRAINT session_key_length CHECK (octet_length(key) = 32)
);

-- Sessions that their users ended, by the SHA-256 of the token: no replica of the api accepts their cookie any more.
CREATE TABLE sign_outs (
    session bytea       PRIMARY KEY CONSTRAINT sign_outs_sha256 CHECK (octet_length(session) = 32),
    until   timestamptz NOT NULL
);
CREATE INDEX sign_outs_until ON sign_outs (until);

-- +goose Down
DROP TABLE sign_outs, session_key, notices, report_mails, reports, report_groups, delete_refusals, delete_checks, audit, pauses, reported_findings, findings,
    protection_ends, project_quotas, project_days, records, volumes, processes, run_requests, leadership, installation;
DROP FUNCTION staffeln_now();
