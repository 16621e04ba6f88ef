-- +goose Up

-- One clock for leases, ages, deadlines and due. A function of its own, so
-- that tests can step it where everybody reads it.
-- +goose StatementBegin
CREATE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()';
-- +goose StatementEnd

-- Who we are in the tags of our backups. A restored dump keeps it; a second
-- installation has its own.
CREATE TABLE installation (
    one     boolean     PRIMARY KEY DEFAULT true CONSTRAINT installation_one CHECK (one),
    id      text        NOT NULL DEFAULT gen_random_uuid()::text,
    made_at timestamptz NOT NULL DEFAULT staffeln_now()
);
INSERT INTO installation DEFAULT VALUES;

-- The one scheduler that acts. Every write of a beat names the term.
CREATE TABLE leadership (
    one            boolean PRIMARY KEY DEFAULT true CONSTRAINT leadership_one CHECK (one),
    term           bigint  NOT NULL DEFAULT 0,
    leader         text    NOT NULL DEFAULT '',
    since          timestamptz,
    planned_beat   timestamptz,
    handed_over_at timestamptz,
    retention_beat timestamptz,
    sweep_beat     timestamptz
);
INSERT INTO leadership DEFAULT VALUES;

CREATE TABLE volumes (
    id               text        PRIMARY KEY,
    name             text        NOT NULL,
    project_id       text        NOT NULL,
    project_name     text        NOT NULL,
    server_id        text        NOT NULL,
    server_name      text        NOT NULL,
    zone             text        NOT NULL,
    status           text        NOT NULL,
    size_gib         integer     NOT NULL,
    encrypted        boolean     NOT NULL,
    protected        boolean     NOT NULL,
    -- null: never protected. It stays when protection ends.
    retention        interval,
    retention_source text        CONSTRAINT volumes_retention_source CHECK (retention_source IN ('default', 'metadata')),
    shorter          interval,
    shorter_since    timestamptz,
    seen_at          timestamptz NOT NULL,
    -- consecutive complete plans that did not list it, or no server of its
    absent_plans     integer     NOT NULL DEFAULT 0,
    gone_at          timestamptz,
    action           text        NOT NULL DEFAULT '',
    reason           text        NOT NULL DEFAULT '',
    decided_at       timestamptz,
    decision_until   timestamptz,
    -- a removal is due: the retention pass found one on the records
    removal_due_at   timestamptz,
    lease_token      text,
    lease_until      timestamptz,
    lease_kind       text,
    CONSTRAINT volumes_lease_whole CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT volumes_shorter_whole CHECK ((shorter IS NULL) = (shorter_since IS NULL)),
    CONSTRAINT volumes_protected_has_retention CHECK (NOT protected OR retention IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX volumes_removal_due ON volumes (removal_due_at) WHERE removal_due_at IS NOT NULL;

-- One row per backup that was ever wanted.
CREATE TABLE records (
    id                     text        PRIMARY KEY DEFAULT gen_random_uuid()::text,
    project_id             text        NOT NULL,
    project_name           text        NOT NULL,
    server_id              text        NOT NULL,
    server_name            text        NOT NULL,
    volume_id              text        NOT NULL CONSTRAINT records_volume REFERENCES volumes (id),
    volume_name            text        NOT NULL,
    zone                   text        NOT NULL,
    size_gib               integer     NOT NULL,
    encrypted              boolean     NOT NULL,
    state                  text        NOT NULL CONSTRAINT records_state CHECK (state IN (
        'planned', 'creating', 'overdue', 'available', 'deleting', 'deleted', 'withdrawn', 'failed', 'lost', 'undeletable')),
    kind                   text        NOT NULL CONSTRAINT records_kind CHECK (kind IN ('full', 'incremental')),
    out_of_turn            boolean     NOT NULL DEFAULT false,
    retention              interval    NOT NULL,
    beat                   timestamptz NOT NULL,
    last_point_at          timestamptz,
    admitted_at            timestamptz,
    requested_at           timestamptz,
    asked_at               timestamptz,
    deadline               timestamptz,
    next_try_at            timestamptz,
    changed_at             timestamptz NOT NULL,
    available_at           timestamptz,
    ended_at               timestamptz,
    attempts               integer     NOT NULL DEFAULT 0,
    backup_id              text,
    backup_name            text        NOT NULL DEFAULT '',
    cinder_status          text        NOT NULL DEFAULT '',
    data_timestamp         timestamptz,
    reason                 text        NOT NULL DEFAULT '',
    reason_text            text        NOT NULL DEFAULT '',
    request_id             text        NOT NULL DEFAULT '',
    removal_reason         text        NOT NULL DEFAULT '',
    removal_text           text        NOT NULL DEFAULT '',
    deletion_asked_at      timestamptz,
    deletion_refused_since timestamptz,
    swept_at               timestamptz,
    CONSTRAINT records_planned_is_unasked CHECK (state NOT IN ('planned', 'withdrawn') OR (backup_id IS NULL AND requested_at IS NULL)),
    CONSTRAINT records_creating_is_requested CHECK (state NOT IN ('creating', 'overdue') OR (requested_at IS NOT NULL AND deadline IS NOT NULL)),
    CONSTRAINT records_available_is_backed CHECK (state NOT IN ('available', 'lost') OR (backup_id IS NOT NULL AND available_at IS NOT NULL AND data_timestamp IS NOT NULL)),
    CONSTRAINT records_removed_is_backed CHECK (state NOT IN ('deleting', 'deleted', 'undeletable') OR backup_id IS NOT NULL),
    CONSTRAINT records_end_is_dated CHECK ((state IN ('planned', 'creating', 'overdue')) = (ended_at IS NULL)),
    CONSTRAINT records_failure_has_reason CHECK (state NOT IN ('failed', 'withdrawn') OR reason <> ''),
    CONSTRAINT records_asked_or_answered CHECK (asked_at IS NULL OR backup_id IS NULL),
    CONSTRAINT records_backup_is_named CHECK (backup_id <> '')
) WITH (fillfactor = 80);

-- The guarantee: one backup in progress per volume. The queue only saves work.
CREATE UNIQUE INDEX records_one_in_progress ON records (volume_id) WHERE state IN ('planned', 'creating', 'overdue');
CREATE UNIQUE INDEX records_one_per_backup ON records (backup_id) WHERE backup_id IS NOT NULL;
CREATE INDEX records_of_volume ON records (volume_id, beat DESC);
CREATE INDEX records_points ON records (volume_id, data_timestamp) WHERE state = 'available';
-- The few that a tenant restores from at the moment.
CREATE INDEX records_restoring ON records (backup_id) WHERE cinder_status = 'restoring';
CREATE INDEX records_fulls ON records (volume_id, beat DESC) WHERE state = 'available' AND kind = 'full';
-- What a hand-over has to look at.
CREATE INDEX records_at_work ON records (state, volume_id)
    WHERE state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable') OR (state = 'failed' AND backup_id IS NOT NULL);
-- What history may forget, by the time since when Cinder holds nothing of it.
CREATE INDEX records_past ON records (changed_at) WHERE state IN ('deleted', 'withdrawn', 'failed');

-- What somebody should know; one row per thing to know, kept while it is seen.
CREATE TABLE findings (
    reason     text        NOT NULL,
    object     text        NOT NULL,
    project_id text        NOT NULL,
    detail     text        NOT NULL,
    since      timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    PRIMARY KEY (reason, object)
);

-- +goose Down
DROP TABLE findings;
DROP TABLE records;
DROP TABLE volumes;
DROP TABLE leadership;
DROP TABLE installation;
DROP FUNCTION staffeln_now();
