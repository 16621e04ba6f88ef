package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// sessionParams are the server parameters of every connection. The keepalives and the limit on unacknowledged data end the
// session of a machine that vanished within 11 s. This releases the leader's lock and the locks of an unfinished transaction
// on a term or a row. The server also ends a process that hangs in a transaction; our transactions never wait for anything
// else.
var sessionParams = map[string]string{
	"timezone":                            "UTC", // the server adds months to timestamps
	"tcp_keepalives_idle":                 "5",
	"tcp_keepalives_interval":             "3",
	"tcp_keepalives_count":                "2",
	"tcp_user_timeout":                    "11000", // ms; no keepalives are sent while data is unacknowledged
	"idle_in_transaction_session_timeout": "60000", // ms
}

// parse parses the URL for all connections and removes the parameters of pgx's pool (pool_max_conns). Its error contains no
// part of the URL, which holds the password.
func parse(url, application string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("STAFFELN_DATABASE_URL is not a Postgres URL (postgres://user:password@host:5432/name)")
	}
	maps.Copy(cfg.ConnConfig.RuntimeParams, sessionParams)
	cfg.ConnConfig.RuntimeParams["application_name"] = application
	if cfg.ConnConfig.ConnectTimeout <= 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	cfg.AfterConnect = readInUTC
	return cfg, nil
}

// readInUTC makes pgx return times in UTC, as the records require. By default pgx uses the time zone of the process.
func readInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// databaseAddress names a database without its password.
func databaseAddress(cfg *pgxpool.Config) string {
	c := cfg.ConnConfig
	return fmt.Sprintf("%s on %s:%d", c.Database, c.Host, c.Port)
}
