package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

// A place is a database in which runs take place, one after the other. Its clock and its chance are the seed's.
type place struct {
	db      *db.DB
	hand    *pgx.Conn // the driver's own
	metrics *telemetry.Metrics
	runs    int
}

// The schema chaos stands before Postgres' own, so that its gen_random_uuid is the one that statements find.
var preparePlace = []string{
	`CREATE SCHEMA chaos`,
	`CREATE TABLE chaos.clock (now timestamptz NOT NULL, seed text NOT NULL)`,
	`INSERT INTO chaos.clock VALUES ('-infinity', '')`,
	`CREATE SEQUENCE chaos.ids`,
	`CREATE FUNCTION chaos.gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE
		AS $$SELECT md5((SELECT seed FROM chaos.clock) || nextval('chaos.ids'))::uuid$$`,
	`ALTER TABLE records ALTER COLUMN id SET DEFAULT chaos.gen_random_uuid()::text`,
	`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM chaos.clock'`,
	// What is forgotten is judged all the same.
	`CREATE TABLE chaos.forgotten AS SELECT * FROM public.records WITH NO DATA`,
	`CREATE FUNCTION chaos.remember() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO chaos.forgotten SELECT OLD.*; RETURN NULL; END$$`,
	`CREATE TRIGGER remember AFTER DELETE ON records FOR EACH ROW EXECUTE FUNCTION chaos.remember()`,
}

func newPlace(t testing.TB) *place {
	t.Helper()
	url := testkit.DatabaseURL(t, func(ctx context.Context, url string) error { _, err := db.MigrateUp(ctx, url); return err })
	p := &place{metrics: telemetry.NewMetrics()}
	var err error
	p.hand, err = pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.hand.Close(context.Background()) })
	for _, statement := range preparePlace {
		_, err := p.hand.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	p.db, err = db.Open(t.Context(), url+"&search_path=chaos,pg_catalog,public&plan_cache_mode=force_generic_plan&jit=off", p.metrics, traced)
	require.NoError(t, err)
	t.Cleanup(p.db.Close)
	return p
}

// empty makes the place as it is before each run: nothing but the identifiers that the seed gives is in it.
func (p *place) empty(ctx context.Context, seed uint64, at time.Time) error {
	p.runs++
	if p.runs%50 == 0 {
		if _, err := p.hand.Exec(ctx, `VACUUM chaos.clock, leadership, records, volumes, findings, installation`); err != nil {
			return err
		}
	}
	_, err := p.hand.Exec(ctx, fmt.Sprintf(`
		DELETE FROM records; DELETE FROM volumes; DELETE FROM findings; DELETE FROM pauses; DELETE FROM audit; DELETE FROM chaos.forgotten;
		UPDATE leadership SET term = 0, leader = '', since = NULL, planned_at = NULL, dispatched_at = NULL, retention_at = NULL, reconciled_at = NULL;
		UPDATE installation SET id = 'chaos-%[1]d';
		UPDATE chaos.clock SET now = '%[2]s', seed = '%[1]d-';
		SELECT setval('chaos.ids', 1, false)`, seed, at.Format(time.RFC3339Nano)))
	return err
}
