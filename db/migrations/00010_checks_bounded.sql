-- +goose Up

-- Who asked Cinder to delete a backup: a row for each hour, answer and person
-- that a verified caller named, and the sums of the others. backup_id is the
-- newest that was refused. It is in the place of delete_checks, into which an
-- api of the version before still writes: what is there is shown too, and as
-- not verified, since it names whoever the caller said.
CREATE TABLE delete_askers (
    hour       timestamptz NOT NULL,
    answer     text        NOT NULL CONSTRAINT delete_askers_answer CHECK (answer IN ('allowed', 'refused')),
    verdict    text        NOT NULL,
    verified   boolean     NOT NULL,
    user_id    text        NOT NULL,
    project_id text        NOT NULL,
    roles      text        NOT NULL,
    backup_id  text        NOT NULL,
    asked      bigint      NOT NULL,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (hour, answer, verdict, verified, user_id, project_id, roles)
);
CREATE INDEX delete_askers_last ON delete_askers (answer, last_at DESC);

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
-- The version before reads delete_checks alone, where a refusal names its backup.
INSERT INTO delete_checks AS c (hour, answer, verdict, backup_id, user_id, project_id, roles, asked, first_at, last_at)
SELECT hour, answer, CASE WHEN answer = 'refused' AND backup_id = '' THEN 'more' ELSE verdict END, backup_id, user_id, project_id, roles, sum(asked), min(first_at), max(last_at)
FROM delete_askers GROUP BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (hour, answer, verdict, backup_id, user_id, project_id, roles)
DO UPDATE SET asked = c.asked + EXCLUDED.asked, first_at = least(c.first_at, EXCLUDED.first_at), last_at = greatest(c.last_at, EXCLUDED.last_at);
DROP TABLE delete_askers;
