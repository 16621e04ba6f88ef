-- +goose Up

-- Who asked Cinder to delete a backup: a row for each hour, answer and person
-- that a verified caller named, and the sums of the others. backup_id is the
-- newest that was refused.
CREATE TABLE delete_checks_bounded (
    hour       timestamptz NOT NULL,
    answer     text        NOT NULL CONSTRAINT delete_checks_answer CHECK (answer IN ('allowed', 'refused')),
    verdict    text        NOT NULL,
    verified   boolean     NOT NULL,
    user_id    text        NOT NULL,
    project_id text        NOT NULL,
    roles      text        NOT NULL,
    backup_id  text        NOT NULL,
    asked      bigint      NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL
);
-- What was recorded so far named whoever the caller said, so it is kept, but not as verified.
INSERT INTO delete_checks_bounded
SELECT hour, answer, verdict, false, user_id, project_id, roles, max(backup_id), sum(asked), min(first_at), max(last_at)
FROM delete_checks GROUP BY hour, answer, verdict, user_id, project_id, roles;
DROP TABLE delete_checks;
ALTER TABLE delete_checks_bounded RENAME TO delete_checks;
ALTER TABLE delete_checks ADD CONSTRAINT delete_checks_pkey PRIMARY KEY (hour, answer, verdict, verified, user_id, project_id, roles);
CREATE INDEX delete_checks_last ON delete_checks (answer, last_at DESC);

-- Refusals by the minute, of all replicas: what tells a burst. A day of them is kept.
CREATE TABLE delete_refusals (
    minute     timestamptz NOT NULL,
    verified   boolean     NOT NULL,
    user_id    text        NOT NULL CONSTRAINT delete_refusals_names_verified CHECK (verified OR user_id = ''),
    project_id text        NOT NULL,
    refused    bigint      NOT NULL,
    burst      boolean     NOT NULL,
    PRIMARY KEY (minute, verified, user_id)
);

-- +goose Down
DROP TABLE delete_refusals;
ALTER TABLE delete_checks RENAME TO delete_checks_bounded;
ALTER INDEX delete_checks_pkey RENAME TO delete_checks_bounded_pkey;
DROP INDEX delete_checks_last;
CREATE TABLE delete_checks (
    hour       timestamptz NOT NULL,
    answer     text        NOT NULL CONSTRAINT delete_checks_answer CHECK (answer IN ('allowed', 'refused')),
    verdict    text        NOT NULL,
    backup_id  text        NOT NULL,
    user_id    text        NOT NULL,
    project_id text        NOT NULL,
    roles      text        NOT NULL,
    asked      bigint      NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (hour, answer, verdict, backup_id, user_id, project_id, roles),
    CONSTRAINT delete_checks_refusal_names_the_backup CHECK (answer = 'allowed' OR backup_id <> '' OR verdict = 'more')
);
INSERT INTO delete_checks
SELECT hour, answer, CASE WHEN answer = 'refused' AND backup_id = '' THEN 'more' ELSE verdict END, backup_id, user_id, project_id, roles, sum(asked), min(first_at), max(last_at)
FROM delete_checks_bounded GROUP BY 1, 2, 3, 4, 5, 6, 7;
DROP TABLE delete_checks_bounded;
CREATE INDEX delete_checks_last ON delete_checks (answer, last_at DESC);
