package db

import (
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// steps returns all migrations in order.
func steps(applied bool) []Migration {
	return []Migration{
		{1, "00001_initial.sql", applied},
	}
}

// schema selects every column, constraint, index and function of the product.
const schema = `
	SELECT string_agg(line, E'\n' ORDER BY line) FROM (
		SELECT format('%s.%s %s', table_name, column_name, data_type) FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace
		UNION ALL SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS all_of_it (line)
	WHERE line NOT LIKE '%goose%'`

func ask(t *testing.T, url, q string) (value string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT coalesce(("+q+")::text, '')").Scan(&value))
	return value
}

func TestMigrateUpIsIdempotentAndMigrateDownRemovesAll(t *testing.T) {
	t.Parallel()
	ctx, url := t.Context(), testkit.DatabaseURL(t, nil)
	before, err := MigrationStatus(ctx, url)
	require.NoError(t, err)
	assert.Equal(t, steps(false), before)

	done, err := MigrateUp(ctx, url)
	require.NoError(t, err)
	assert.Equal(t, steps(true), done)
	built := ask(t, url, schema)
	installation := ask(t, url, "SELECT id FROM installation")
	assert.Len(t, installation, 36)

	done, err = MigrateUp(ctx, url)
	require.NoError(t, err)
	assert.Empty(t, done, "the second time there is nothing to do")
	assert.Equal(t, installation, ask(t, url, "SELECT id FROM installation"))
	after, err := MigrationStatus(ctx, url)
	require.NoError(t, err)
	assert.Equal(t, steps(true), after)

	for _, step := range slices.Backward(steps(false)) {
		back, err := MigrateDown(ctx, url)
		require.NoError(t, err)
		assert.Equal(t, step, back)
	}
	assert.Empty(t, ask(t, url, schema), "nothing is left")
	_, err = MigrateDown(ctx, url)
	require.ErrorContains(t, err, "there is no step to take back")

	_, err = MigrateUp(ctx, url)
	require.NoError(t, err)
	assert.Equal(t, built, ask(t, url, schema), "up again is the same")
	assert.NotEqual(t, installation, ask(t, url, "SELECT id FROM installation"), "and another installation")
}

// Each migration is a transaction of its own: those before the failed one remain.
func TestFailedMigrationReportsTheAppliedOnes(t *testing.T) {
	t.Parallel()
	ctx, url := t.Context(), testkit.DatabaseURL(t, nil)
	step := func(statement string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\n" + statement + ";\n")}
	}
	files := fstest.MapFS{
		"migrations/00001_first.sql":  step("CREATE TABLE first (id int)"),
		"migrations/00002_second.sql": step("CREATE TABLE second (id int); ALTER TABLE missing ADD id int"),
		"migrations/00003_third.sql":  step("CREATE TABLE third (id int)"),
	}
	done, err := migrateUp(ctx, url, files)
	require.ErrorContains(t, err, "apply 00002_second.sql: ")
	require.ErrorContains(t, err, `relation "missing" does not exist`)
	assert.Equal(t, []Migration{{1, "00001_first.sql", true}}, done)
	assert.Equal(t, "first", ask(t, url, "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%'"))

	files["migrations/00002_second.sql"] = step("CREATE TABLE second (id int)")
	done, err = migrateUp(ctx, url, files)
	require.NoError(t, err)
	assert.Equal(t, []Migration{{2, "00002_second.sql", true}, {3, "00003_third.sql", true}}, done, "a repetition continues")
}

func TestConcurrentMigrationsAllSucceed(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t, nil)
	done := make([][]Migration, 5)
	var group sync.WaitGroup
	for i := range done {
		group.Go(func() {
			var err error
			done[i], err = MigrateUp(t.Context(), url)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Equal(t, steps(true), slices.Concat(done...), "each step once, and all by one")
}

func TestOpenRejectsAnotherSchemaVersionWithAdvice(t *testing.T) {
	t.Parallel()
	empty, gone, newer := testkit.DatabaseURL(t, nil), testkit.DatabaseURL(t, migrate), testkit.DatabaseURL(t, migrate)
	for range steps(true) {
		_, err := MigrateDown(t.Context(), gone)
		require.NoError(t, err)
	}
	conn, err := pgx.Connect(t.Context(), newer)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))

	for url, want := range map[string]string{
		empty: "schema is at version 0, this program needs 1: run `staffeln migrate up`",
		gone:  "schema is at version 0, this program needs 1: run `staffeln migrate up`",
		newer: "schema is at version 99, this program knows only 1: start the newer program that made it, or go back with that one's `staffeln migrate down`",
	} {
		_, err := Open(t.Context(), url, nil)
		require.ErrorContains(t, err, want)
	}
}

// An older program must not change a newer schema.
func TestOlderProgramDoesNotRevertANewerSchema(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")
	built := ask(t, h.url, schema)
	h.changesNothing(func() {
		done, err := MigrateUp(h.ctx, h.url)
		require.NoError(t, err)
		assert.Empty(t, done)
		_, err = MigrateDown(h.ctx, h.url)
		require.ErrorContains(t, err, "the newest step is of a newer program")
	})
	assert.Equal(t, built, ask(t, h.url, schema))
}
