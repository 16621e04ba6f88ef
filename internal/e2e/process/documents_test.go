package process

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/private"
)

// The statements of docs/running.md make a database that its owner can migrate, with the role for the api.
func TestStatementsOfTheDocumentsMakeTheDatabase(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(repository, "docs", "running.md"))
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```sql\n(.+?)```").FindSubmatch(page)
	require.NotNil(t, block)
	server, err := private.StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	admin, err := url.Parse(server.URL)
	require.NoError(t, err)
	admin.User, admin.Path = url.User("postgres_admin"), "/postgres"
	conn, err := pgx.Connect(t.Context(), server.URL)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE ROLE postgres_admin SUPERUSER LOGIN") // the server's own superuser may have the name of ours
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	conn, err = pgx.Connect(t.Context(), admin.String())
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "ALTER ROLE staffeln RENAME TO before")
	require.NoError(t, err)
	for _, statement := range regexp.MustCompile(`(?m)^.+;$`).FindAllString(string(block[1]), -1) {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, conn.Close(t.Context()))
	owner := *admin
	owner.User, owner.Path = url.User("staffeln"), "/staffeln"
	env := map[string]string{"STAFFELN_DATABASE_URL": owner.String(), "STAFFELN_DATABASE_API_ROLE": "staffeln_api"}
	out, code := rig.Output(t, env, "migrate", "up")
	require.Zero(t, code, out)
}
