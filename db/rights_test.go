package db

import (
	"crypto/sha256"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// Neither the owner of the tables nor the api's role is a superuser. An attacker in the api can change no record, grant no
// privilege and create no table.
func TestAPIRoleMayNotChangeRecords(t *testing.T) {
	t.Parallel()
	empty := testkit.DatabaseURL(t, nil)
	owner, asOwner := testkit.Role(t, empty)
	api, asAPI := testkit.Role(t, empty)
	u, err := url.Parse(empty)
	require.NoError(t, err)
	super, err := pgx.Connect(t.Context(), empty)
	require.NoError(t, err)
	t.Cleanup(func() { _ = super.Close(t.Context()) })
	_, err = super.Exec(t.Context(), "ALTER DATABASE "+pgx.Identifier{strings.TrimPrefix(u.Path, "/")}.Sanitize()+" OWNER TO "+owner)
	require.NoError(t, err)
	for range 2 { // the second time is an upgrade
		_, err = MigrateUp(t.Context(), asOwner)
		require.NoError(t, err)
		require.NoError(t, GrantAPI(t.Context(), asOwner, api))
	}

	d, err := Open(t.Context(), asAPI, nil)
	require.NoError(t, err)
	t.Cleanup(d.Close)
	may, err := d.MayChange(t.Context())
	require.NoError(t, err)
	assert.False(t, may)
	key, err := d.SessionKey(t.Context())
	require.NoError(t, err)
	assert.Len(t, key, 32)
	session := sha256.Sum256([]byte("token"))
	for _, want := range []bool{false, true, true} {
		ended, err := d.SignedOut(t.Context(), session)
		require.NoError(t, err)
		assert.Equal(t, want, ended)
		require.NoError(t, d.SignOut(t.Context(), session))
	}
	user, err := d.ServiceUserID(t.Context())
	require.NoError(t, err)
	assert.Empty(t, user)

	for _, forbidden := range []string{
		"UPDATE records SET state = 'deleted'", "DELETE FROM records", "INSERT INTO volumes (id) VALUES ('v')", "UPDATE volumes SET retention = '1 s'", "TRUNCATE records",
		"UPDATE leadership SET term = term + 1", "UPDATE installation SET id = 'x'", "UPDATE installation SET service_user_id = 'x'", "DELETE FROM findings", "DELETE FROM audit",
		"DELETE FROM delete_checks", "DELETE FROM session_key", "UPDATE session_key SET key = key", "UPDATE sign_outs SET until = until", "DELETE FROM pauses",
		"CREATE TABLE mine (x int)", "DROP TABLE records", "CREATE ROLE another", "SET ROLE " + owner,
		"CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'", "COPY records TO PROGRAM 'cat'",
	} {
		_, err := d.pool.Exec(t.Context(), forbidden)
		refusal := new(pgconn.PgError)
		if assert.ErrorAs(t, err, &refusal, forbidden) {
			assert.Equal(t, "42501", refusal.Code, "%s: %v", forbidden, err) // insufficient_privilege
		}
	}

	require.ErrorContains(t, GrantAPI(t.Context(), asOwner, "nobody"), "CREATE ROLE")
	require.ErrorContains(t, GrantAPI(t.Context(), asOwner, owner), "want one that has no rights of its own")
	require.ErrorContains(t, GrantAPI(t.Context(), asOwner, u.User.Username()), "want one that has no rights of its own")
}
