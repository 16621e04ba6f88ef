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

// connectTime bounds one attempt to connect where the URL has no connect_timeout: pgx would wait two minutes for a
// machine that swallows packets.
const connectTime = 10 * time.Second

// The classes of refusals that an operator meets at a start, by SQLSTATE.
var advices = map[string]string{
	"28P01": "check user or password in STAFFELN_DATABASE_URL",
	"28000": "let the user in (pg_hba.conf), or check STAFFELN_DATABASE_URL",
	"3D000": "create it (createdb), or check the name in STAFFELN_DATABASE_URL",
	"42501": "make the user of STAFFELN_DATABASE_URL the owner of the database, or grant it the right",
	"53300": "raise the server's max_connections, or end what holds its connections",
	"57P03": "wait until the server is up, then start again",
}

// advised makes one line that ends with what to do of a connection that did not come about. Of pgx's several lines,
// with each address twice, it keeps the cause.
func advised(err error) error {
	var lookup *net.DNSError
	var dial *net.OpError
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, new(*pgconn.PgError)):
		return advisedBySQLState(err)
	case errors.As(err, &lookup):
		return fmt.Errorf("%w: check the host in STAFFELN_DATABASE_URL", lookup)
	case errors.As(err, &dial):
		return fmt.Errorf("%w: start Postgres there, or check host and port in STAFFELN_DATABASE_URL", dial)
	case pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer in time: %w: start Postgres there, or check host and port in STAFFELN_DATABASE_URL", context.DeadlineExceeded)
	}
	return fmt.Errorf("%s: check STAFFELN_DATABASE_URL (sslmode, where this is about TLS), or the server", strings.Join(strings.Fields(err.Error()), " "))
}

// advisedBySQLState adds what to do to the server's own words, where that is known.
func advisedBySQLState(err error) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return err
	}
	if advice, known := advices[said.Code]; known {
		return fmt.Errorf("%w: %s", said, advice)
	}
	return err
}
