-- +goose Up

-- Sessions of the page that somebody ended, by the SHA-256 of their token: no replica of the api takes their cookie any more.
CREATE TABLE sign_outs (
    session bytea       PRIMARY KEY CONSTRAINT sign_outs_sha256 CHECK (octet_length(session) = 32),
    until   timestamptz NOT NULL
);
CREATE INDEX sign_outs_until ON sign_outs (until);

-- +goose Down

DROP TABLE sign_outs;
