package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says where the memory is.
type Config struct {
	DatabaseURL string `split_words:"true" required:"true" secret:"true" desc:"The Postgres of the records: postgres://user:password@host:5432/staffeln?sslmode=verify-full. No transaction pooling in between: leadership is a lock of a session."`
}

// Validate tells whether the URL can be read; not why not, since the reasons repeat the URL, with its password.
func (c Config) Validate() error {
	if _, err := pgxpool.ParseConfig(c.DatabaseURL); err != nil {
		return errors.New("DATABASE_URL: (a secret): want postgres://user:password@host:5432/name, with / ? # @ : and % of the password escaped")
	}
	return nil
}
