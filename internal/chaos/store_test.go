package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/inprocess"
	"staffeln/internal/telemetry"
)

// A store is a database that runs use one after the other. The seed determines its clock and its random IDs.
type store struct {
	db      *db.DB
	conn    *pgx.Conn // connection of the driver
	metrics *telemetry.Metrics
	runs    int
}

// The schema chaos comes before that of Postgres in the search path, so that statements use its gen_random_uuid.
var prepareStore = []string{
	`CREATE SCHEMA chaos`,
	`CREATE TABLE chaos.clock (now timestamptz NOT NULL, seed text NOT NULL)`,
	`INSERT INTO chaos.clock VALUES ('-infinity', '')`,
	`CREATE SEQUENCE chaos.ids`,
	`CREATE FUNCTION chaos.gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE
		AS $$SELECT md5((SELECT seed FROM chaos.clock) || nextval('chaos.ids'))::uuid$$`,
	`ALTER TABLE records ALTER COLUMN id SET DEFAULT chaos.gen_random_uuid()::text`,
	`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM chaos.clock'`,
	// Deleted records are judged too.
	`CREATE TABLE chaos.forgotten AS SELECT * FROM public.records WITH NO DATA`,
	`CREATE FUNCTION chaos.remember() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO chaos.forgotten SELECT OLD.*; RETURN NULL; END$$`,
	`CREATE TRIGGER remember AFTER DELETE ON records FOR EACH ROW EXECUTE FUNCTION chaos.remember()`,
}

func newStore(t testing.TB) *store {
	t.Helper()
	url, conn := inprocess.Database(t)
	p := &store{conn: conn, metrics: telemetry.NewMetrics()}
	for _, statement := range prepareStore {
		_, err := p.conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	var err error
	p.db, err = db.Open(t.Context(), url+"&search_path=chaos,pg_catalog,public"+inprocess.Options, p.metrics, traced)
	require.NoError(t, err)
	t.Cleanup(p.db.Close)
	return p
}

// empty resets the store before each run.
func (p *store) empty(ctx context.Context, seed uint64, at time.Time) error {
	p.runs++
	if p.runs%50 == 0 {
		if _, err := p.conn.Exec(ctx, `VACUUM chaos.clock, leadership, records, volumes, findings, installation`); err != nil {
			return err
		}
	}
	_, err := p.conn.Exec(ctx, fmt.Sprintf(`
		DELETE FROM records; DELETE FROM volumes; DELETE FROM findings; DELETE FROM pauses; DELETE FROM audit; DELETE FROM chaos.forgotten;
		UPDATE leadership SET term = 0, leader = '', since = NULL, planned_at = NULL, dispatched_at = NULL, retention_at = NULL, reconciled_at = NULL;
		UPDATE installation SET id = 'chaos-%[1]d';
		UPDATE chaos.clock SET now = '%[2]s', seed = '%[1]d-';
		SELECT setval('chaos.ids', 1, false)`, seed, at.Format(time.RFC3339Nano)))
	return err
}
