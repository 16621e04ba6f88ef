-- +goose Up

-- What the api's replicas seal their cookies with; the first one that needs it makes it.
CREATE TABLE session_key (
    single boolean PRIMARY KEY DEFAULT true CONSTRAINT session_key_single CHECK (single),
    key    bytea   NOT NULL CONSTRAINT session_key_long CHECK (octet_length(key) = 32)
);

-- +goose Down

DROP TABLE session_key;
