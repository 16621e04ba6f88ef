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

// session is what every connection asks of the server. The keepalives, and the
// bound on data that nobody acknowledges, end the session of a machine that
// vanished within 11 s: with it go the leader's lock and what an unfinished
// transaction holds of a term or a row. A process that hangs in the middle of
// a transaction is cut off too; ours never pause in one.
var session = map[string]string{
	"timezone":                            "UTC", // months are added to timestamps by the server
	"tcp_keepalives_idle":                 "5",
	"tcp_keepalives_interval":             "3",
	"tcp_keepalives_count":                "2",
	"tcp_user_timeout":                    "11000", // ms; keepalives are silent while an answer is unacknowledged
	"idle_in_transaction_session_timeout": "60000", // ms
}

// parse reads the URL for all who connect, with what pgx's pool understands
// (pool_max_conns) taken out. Its error names no part of the URL, which holds
// the password.
func parse(url, application string) (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("STAFFELN_DATABASE_URL is not a Postgres URL (postgres://user:password@host:5432/name)")
	}
	maps.Copy(cfg.ConnConfig.RuntimeParams, session)
	cfg.ConnConfig.RuntimeParams["application_name"] = application
	if cfg.ConnConfig.ConnectTimeout <= 0 {
		cfg.ConnConfig.ConnectTimeout = connectTime
	}
	cfg.AfterConnect = readInUTC
	return cfg, nil
}

// readInUTC gives times as the records promise them; pgx would give them in
// the zone of the process.
func readInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// place names a database without its password.
func place(cfg *pgxpool.Config) string {
	c := cfg.ConnConfig
	return fmt.Sprintf("%s on %s:%d", c.Database, c.Host, c.Port)
}
