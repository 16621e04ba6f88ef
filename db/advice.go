package db

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// connectTimeout bounds one attempt to connect if the URL has no connect_timeout. Without it pgx waits two minutes for a
// machine that drops packets.
const connectTimeout = 10 * time.Second

// adviceBySQLState has the advice for errors that operators meet when a process starts, by SQLSTATE.
var adviceBySQLState = map[string]string{
	"28P01": "check user or password in STAFFELN_DATABASE_URL",
	"28000": "let the user in (pg_hba.conf), or check STAFFELN_DATABASE_URL",
	"3D000": "create it (createdb), or check the name in STAFFELN_DATABASE_URL",
	"42501": "make the user of STAFFELN_DATABASE_URL the owner of the database, or grant it the right",
	"53300": "raise the server's max_connections, or end what holds its connections",
	"57P03": "wait until the server is up, then start again",
}

// withAdvice turns a connection error into one line that ends with advice. pgx returns several lines, with each address twice;
// only the cause is kept.
func withAdvice(err error) error {
	var lookup *net.DNSError
	var dial *net.OpError
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, new(*pgconn.PgError)):
		return withSQLStateAdvice(err)
	case errors.As(err, &lookup):
		return fmt.Errorf("%w: check the host in STAFFELN_DATABASE_URL", lookup)
	case errors.As(err, &dial):
		return fmt.Errorf("%w: start Postgres there, or check host and port in STAFFELN_DATABASE_URL", dial)
	case pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no response in time: %w: start Postgres there, or check host and port in STAFFELN_DATABASE_URL", context.DeadlineExceeded)
	}
	return fmt.Errorf("%s: check STAFFELN_DATABASE_URL (sslmode, where this is about TLS), or the server", strings.Join(strings.Fields(err.Error()), " "))
}

// withSQLStateAdvice adds advice to the server's message if there is some for its SQLSTATE.
func withSQLStateAdvice(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	if advice, known := adviceBySQLState[pgErr.Code]; known {
		return fmt.Errorf("%w: %s", pgErr, advice)
	}
	return err
}
