package db

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// snapshot is the whole database: table and key -> column -> value. Times are stored as the distance from now.
type snapshot map[string]map[string]string

// rowKeys has all tables and the SQL expression that names a row.
var rowKeys = map[string]string{
	"volumes": "id", "records": "id", "findings": "reason || ' ' || object", "reported_findings": "reason || ' ' || object", "leadership": "'row'", "installation": "'row'", "processes": "kind || ' ' || name", "run_requests": "run",
	"pauses": "project_id", "audit": "id::text", "report_groups": "id", "reports": "id", "report_mails": "report_id || ' ' || receiver",
	"delete_checks": "backup_id || ' ' || user_id", "delete_refusals": "user_id", "session_key": "'row'", "sign_outs": "session::text", "protection_ends": "volume_id || ' ' || project_id", "project_days": `day || ' ' || project_id`, "project_quotas": "project_id", "notices": "id::text",
}

func (h *harness) snapshot() snapshot {
	h.t.Helper()
	tables, err := h.db.pool.Query(h.ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`)
	require.NoError(h.t, err)
	names, err := pgx.CollectRows(tables, pgx.RowTo[string])
	require.NoError(h.t, err)
	require.ElementsMatch(h.t, slices.Collect(maps.Keys(rowKeys)), names, "every table is compared")
	s := snapshot{}
	now := base
	if h.clock != nil {
		now = h.clock.Now()
	}
	for table, key := range rowKeys {
		rows, err := h.db.pool.Query(h.ctx, `SELECT `+key+`, c.key, coalesce(c.value, 'null') FROM `+table+` t, jsonb_each_text(to_jsonb(t)) c`)
		require.NoError(h.t, err)
		var of, column, value string
		_, err = pgx.ForEachRow(rows, []any{&of, &column, &value}, func() error {
			name := table + " " + of
			if s[name] == nil {
				s[name] = map[string]string{}
			}
			s[name][column] = relative(now, value)
			return nil
		})
		require.NoError(h.t, err)
	}
	return s
}

// relative returns a time as its distance from now, and an empty text as two quotes.
func relative(now time.Time, value string) string {
	at, err := time.Parse("2006-01-02T15:04:05.999999999-07:00", value)
	switch {
	case value == "":
		return "''"
	case err != nil:
		return value
	case at.Equal(now):
		return "now"
	case at.After(now):
		return "+" + at.Sub(now).String()
	}
	return at.Sub(now).String()
}

// diff returns all differences, one line each: `records r state: planned -> creating`, `+ records r` or `- records r`.
func diff(before, after snapshot) []string {
	var lines []string
	for name, was := range before {
		is, remains := after[name]
		if !remains {
			lines = append(lines, "- "+name)
			continue
		}
		for column, value := range is {
			if was[column] != value {
				lines = append(lines, fmt.Sprintf("%s %s: %s -> %s", name, column, was[column], value))
			}
		}
	}
	for name := range after {
		if before[name] == nil {
			lines = append(lines, "+ "+name)
		}
	}
	slices.Sort(lines)
	return lines
}

// changes calls do and returns what it changed in the whole database.
func (h *harness) changes(do func()) []string {
	h.t.Helper()
	before := h.snapshot()
	do()
	return diff(before, h.snapshot())
}

// changesNothing calls do and asserts that no row has changed.
func (h *harness) changesNothing(do func()) {
	h.t.Helper()
	assert.Empty(h.t, h.changes(do))
}

// of removes the name of the row from its lines and joins them.
func of(name string, lines []string) string {
	short := make([]string, len(lines))
	for i, line := range lines {
		short[i] = strings.TrimPrefix(line, name+" ")
	}
	return strings.Join(short, "; ")
}

func TestDatabaseDiffListsEveryChangedRow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("gone", point("b1", hour))
	lines := h.changes(func() {
		h.exec("DELETE FROM records")
		h.exec("UPDATE volumes SET name = '', gone_at = $1", base.Add(hour))
		h.volume("w", nil)
	})
	assert.Equal(t, []string{"+ volumes w", "- records gone", "volumes v gone_at: null -> +1h0m0s", "volumes v name: disk -> ''"}, lines)
}
