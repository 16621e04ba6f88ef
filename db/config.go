package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Config is the location of the database.
type Config struct {
	DatabaseURL      string `split_words:"true" required:"true" secret:"true" desc:"The Postgres of the records: postgres://user:password@host:5432/staffeln?sslmode=verify-full. No transaction pooling in between: leadership is a lock of a session."`
	DatabaseBackedUp bool   `split_words:"true" default:"false" desc:"States that backups of this Postgres exist and are tested. The doctor then does not warn if no replica is connected."`
}

// Validate returns an error if the URL cannot be parsed. The error does not give the reason, since pgx repeats the URL with
// its password in it.
func (c Config) Validate() error {
	if _, err := pgxpool.ParseConfig(c.DatabaseURL); err != nil {
		return errors.New("DATABASE_URL: (a secret): want postgres://user:password@host:5432/name, with / ? # @ : and % of the password escaped")
	}
	return nil
}
