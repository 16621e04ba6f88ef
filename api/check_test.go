package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

const (
	ourUser = "8a21b62f89f94eb6bdec89d8df2e4433"
	alice   = "a11ce000000000000000000000000000"
	unknown = "5438dbb2-4eec-4a90-b8d6-5b0d7dfaa56b"
)

// checked is an API with a database of its own.
type checked struct {
	*running

	conn         *pgx.Conn
	installation string
}

// runCheck starts an API whose database has a record in each state, and our service user.
func runCheck(t *testing.T, cfg Config, changes ...func(*Deps)) *checked {
	t.Helper()
	databaseURL := testkit.DatabaseURL(t, func(ctx context.Context, databaseURL string) error {
		_, err := db.MigrateUp(ctx, databaseURL)
		return err
	})
	database, err := db.Open(t.Context(), databaseURL, telemetry.NewMetrics())
	require.NoError(t, err)
	t.Cleanup(database.Close)
	require.NoError(t, database.ServiceUser(t.Context(), ourUser))
	checks, err := database.Checks(t.Context())
	require.NoError(t, err)
	t.Cleanup(checks.Close)
	k := &checked{}
	k.conn, err = pgx.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	t.Cleanup(func() { _ = k.conn.Close(context.WithoutCancel(t.Context())) })
	k.installation, err = database.Installation(t.Context())
	require.NoError(t, err)
	_, err = k.conn.Exec(t.Context(), `
		INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected, seen_at)
		SELECT 'v' || n, '', 'p', '', 's', '', '', 'in-use', 1, false, false, now() FROM generate_series(0, 9) AS n`)
	require.NoError(t, err)
	for i, state := range states {
		backed := state != backup.Planned && state != backup.Withdrawn
		_, err := k.conn.Exec(t.Context(), `
			INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention, planned_at, changed_at,
				reason, backup_id, requested_at, deadline, data_timestamp, available_at, ended_at)
			VALUES ('p', '', 's', '', $1, '', '', 1, false, $2, 'full', '1 day', now(), now(), 'x', CASE WHEN $3 THEN $4 END,
				CASE WHEN $3 THEN now() END, now(), now(), now(), CASE WHEN NOT $5 THEN now() END)`,
			fmt.Sprint("v", i), string(state), backed, recorded(state), state.InProgress())
		require.NoError(t, err)
	}
	k.running = run(t, cfg, append(changes, func(d *Deps) { d.Checks, d.Ping = checks, checks.Ping })...)
	return k
}

var states = []backup.State{
	backup.Planned, backup.Withdrawn, backup.Creating, backup.Available, backup.Overdue, backup.Deleting, backup.Deleted, backup.Failed, backup.Lost, backup.Undeletable,
}

// recorded returns the ID of the backup whose record is in the state.
func recorded(state backup.State) string {
	for i, s := range states {
		if s == state {
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		}
	}
	panic("no such state: " + state)
}

// posted is the body of Cinder's request.
type posted struct {
	target, credentials map[string]any
}

func (p posted) form() (body, kind string) {
	target, _ := json.Marshal(p.target)
	credentials, _ := json.Marshal(p.credentials)
	return url.Values{"rule": {`"backup:delete"`}, "target": {string(target)}, "credentials": {string(credentials)}}.Encode(), "application/x-www-form-urlencoded"
}

func (p posted) json() (body, kind string) {
	text, _ := json.Marshal(map[string]any{"rule": "backup:delete", "target": p.target, "credentials": p.credentials})
	return string(text), "application/json"
}

func (k *checked) ask(t *testing.T, id, body, kind string) (httpResponse, string) {
	t.Helper()
	return k.do(t, http.MethodPost, "/v1/backup?backup_id="+id, body, http.Header{"Content-Type": {kind}})
}

// as returns the body for a backup of owner that the user by wants to delete.
func as(id, owner, by string) posted {
	return posted{
		map[string]any{"id": id, "user_id": owner, "project_id": "p", "display_description": nil, "metadata": nil, "size": 1, "deleted": false, "parent_id": nil},
		map[string]any{"user_id": by, "project_id": "p", "roles": []string{"member", "reader"}, "is_admin": false, "service_roles": []string{}},
	}
}

func TestCheck_RecordDecides(t *testing.T) {
	k := runCheck(t, Config{})
	for _, state := range states {
		id := recorded(state)
		ours := state != backup.Planned && state != backup.Withdrawn && state != backup.Deleted
		want := "True"
		if ours {
			want = "False"
		}
		for _, by := range []string{"", alice, ourUser} {
			if by == ourUser && state == backup.Deleting {
				want = "True"
			}
			for _, q := range []func() (string, string){as(id, alice, by).form, as(id, alice, by).json} {
				body, kind := q()
				got, reply := k.ask(t, id, body, kind)
				require.Equal(t, http.StatusOK, got.StatusCode)
				require.Equal(t, "text/plain; charset=UTF-8", got.Header.Get("Content-Type"))
				require.Equal(t, want, reply, "%s, request by %q", state, by)
			}
		}
		for _, kind := range []string{"", "application/x-www-form-urlencoded", "text/plain"} {
			_, reply := k.ask(t, id, "", kind)
			require.Equal(t, ours, reply == "False", "%s, without a body", state)
		}
	}
	_, reply := k.ask(t, strings.ToUpper(recorded(backup.Available)), "", "")
	require.Equal(t, "False", reply, "in upper case")
	_, reply = k.ask(t, unknown, "", "")
	require.Equal(t, "True", reply)
}

func TestCheck_BodyDecidesWithoutRecord(t *testing.T) {
	k := runCheck(t, Config{})
	tagged, described, other := as(unknown, alice, alice), as(unknown, alice, alice), as(unknown, alice, alice)
	tagged.target["metadata"] = map[string]string{backup.TagInstallation: k.installation}
	described.target["display_description"] = backup.Tag{Installation: k.installation, Record: "r"}.Description()
	other.target["metadata"] = map[string]string{backup.TagInstallation: "another", backup.TagRecord: "r"}
	odd := as(unknown, alice, alice)
	odd.target["metadata"], odd.target["display_description"], odd.credentials["roles"] = map[string]any{"k": 1}, 7, "member"
	for _, c := range []struct {
		asked posted
		want  string
	}{
		{as(unknown, alice, alice), "True"},
		{as(unknown, alice, ourUser), "True"},
		{other, "True"},
		{odd, "True"},
		{posted{map[string]any{}, map[string]any{}}, "True"},
		{posted{}, "True"},
		{as(unknown, ourUser, alice), "False"},
		{as(unknown, ourUser, ourUser), "False"},
		{tagged, "False"},
		{described, "False"},
	} {
		for _, q := range []func() (string, string){c.asked.form, c.asked.json} {
			body, kind := q()
			got, reply := k.ask(t, unknown, body, kind)
			require.Equal(t, http.StatusOK, got.StatusCode)
			require.Equal(t, c.want, reply, body)
		}
	}
	gone := recorded(backup.Deleted)
	body, kind := as(gone, ourUser, alice).form()
	_, reply := k.ask(t, gone, body, kind)
	require.Equal(t, "False", reply, "recorded as deleted, but still in Cinder")
}

func TestCheck_RejectsInvalidRequests(t *testing.T) {
	k := runCheck(t, Config{})
	body, form := as(unknown, alice, alice).form()
	otherBody, _ := as(recorded(backup.Available), alice, alice).form()
	otherJSON, _ := as(recorded(backup.Available), alice, alice).json()
	oddID, _ := posted{map[string]any{"id": 7}, nil}.form()
	for name, c := range map[string]struct {
		method, query, body, kind string
		status                    int
	}{
		"no parameter":           {"POST", "", body, form, 403},
		"ID in the body":         {"POST", "", "backup_id=" + unknown, form, 403},
		"an empty parameter":     {"POST", "?backup_id=", body, form, 400},
		"no UUID":                {"POST", "?backup_id=latest", body, form, 400},
		"without hyphens":        {"POST", "?backup_id=" + strings.ReplaceAll(unknown, "-", ""), body, form, 400},
		"text after the ID":      {"POST", "?backup_id=" + unknown + "%0A", body, form, 400},
		"two of them":            {"POST", "?backup_id=" + unknown + "&backup_id=" + unknown, body, form, 400},
		"another target":         {"POST", "?backup_id=" + unknown, otherBody, form, 403},
		"another target in JSON": {"POST", "?backup_id=" + unknown, otherJSON, "application/json; charset=utf-8", 403},
		"a target's odd ID":      {"POST", "?backup_id=" + unknown, oddID, form, 200}, // is ignored
		"no form":                {"POST", "?backup_id=" + unknown, "target=%zz", form, 400},
		"two targets":            {"POST", "?backup_id=" + unknown, "target={}&target={}", form, 400},
		"no JSON in the form":    {"POST", "?backup_id=" + unknown, "target=True", form, 400},
		"odd credentials":        {"POST", "?backup_id=" + unknown, "credentials=[]", form, 400},
		"no JSON":                {"POST", "?backup_id=" + unknown, "True", "application/json", 400},
		"half of the JSON":       {"POST", "?backup_id=" + unknown, `{"target": {`, "application/json", 400},
		"something else":         {"POST", "?backup_id=" + unknown, "True", "text/plain", 415},
		"no Content-Type":        {"POST", "?backup_id=" + unknown, "True", "", 415},
		"too much":               {"POST", "?backup_id=" + unknown, strings.Repeat("x", bodyMost+1), form, 413},
		"GET":                    {"GET", "?backup_id=" + unknown, "", "", 405},
		"HEAD":                   {"HEAD", "?backup_id=" + unknown, "", "", 405},
		"PUT":                    {"PUT", "?backup_id=" + unknown, body, form, 405},
		"DELETE":                 {"DELETE", "?backup_id=" + unknown, body, form, 405},
		"another path":           {"POST", "/?backup_id=" + unknown, body, form, 404},
	} {
		got, reply := k.do(t, c.method, CheckPath+c.query, c.body, http.Header{"Content-Type": {c.kind}})
		require.Equal(t, c.status, got.StatusCode, name)
		if c.status != http.StatusOK {
			require.NotContains(t, strings.ToLower(reply), "true", name)
		}
	}
	require.Equal(t, 2, strings.Count(k.log.String(), "delete check about two backups refused"))
}

func TestCheck_RefusesWhileDatabaseIsUnreachable(t *testing.T) {
	k := runCheck(t, Config{})
	_, err := k.conn.Exec(t.Context(), "ALTER TABLE records RENAME TO away")
	require.NoError(t, err)
	for _, id := range []string{unknown, recorded(backup.Available)} {
		got, reply := k.ask(t, id, "", "")
		require.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
		require.NotContains(t, reply, "True")
		require.NotContains(t, reply, "records", "the cause is only in the log")
	}
	require.Contains(t, k.log.String(), `relation \"records\" does not exist`)
	_, err = k.conn.Exec(t.Context(), "ALTER TABLE away RENAME TO records")
	require.NoError(t, err)
	_, reply := k.ask(t, unknown, "", "")
	require.Equal(t, "True", reply)
}

func TestCheck_RefusesOnDatabaseTimeout(t *testing.T) {
	k := runCheck(t, Config{})
	tx, err := k.conn.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE records IN ACCESS EXCLUSIVE MODE")
	require.NoError(t, err)
	got, reply := k.ask(t, unknown, "", "")
	require.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
	require.NotContains(t, reply, "True")
	require.NoError(t, tx.Rollback(t.Context()))
}

func TestCheck_RefusesWithoutInstallationRow(t *testing.T) {
	k := runCheck(t, Config{})
	_, err := k.conn.Exec(t.Context(), "DELETE FROM installation")
	require.NoError(t, err)
	got, _ := k.ask(t, unknown, "", "")
	require.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
}
