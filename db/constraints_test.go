package db

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// violated answers the name of the constraint that err tells of.
func violated(err error) string {
	if fault, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fault.ConstraintName
	}
	return ""
}

// against says for each constraint of records what it does not let in.
var against = map[string]row{
	"records_pkey":                  shapes["planned"].with(row{"id": "elder"}),
	"records_volume":                shapes["planned"].with(row{"volume_id": "unheard of"}),
	"records_state":                 {"state": "gone", "ended_at": base},
	"records_kind":                  shapes["planned"].with(row{"kind": "differential"}),
	"records_planned_is_unasked":    shapes["planned"].with(row{"requested_at": base}),
	"records_creating_is_requested": {"state": "creating", "requested_at": base},
	"records_available_is_backed":   shapes["available"].with(row{"data_timestamp": nil}),
	"records_removed_is_backed":     shapes["deleting"].with(row{"backup_id": nil}),
	"records_end_is_dated":          shapes["available"].with(row{"ended_at": nil}),
	"records_failure_has_reason":    shapes["failed"].with(row{"reason": ""}),
	"records_asked_or_answered":     shapes["creating"].with(row{"asked_at": base}),
	"records_backup_is_named":       shapes["creating"].with(row{"backup_id": ""}),
	"records_one_per_backup":        shapes["creating"].with(row{"backup_id": "b-elder"}),
	"records_one_in_progress":       shapes["planned"].with(row{"volume_id": "busy"}),
}

func TestEachConstraintOfRecordsRefusesWhatItIsFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	h.volume("busy", nil)
	h.record("elder", point("b-elder", 24*time.Hour))
	h.record("at work", shapes["overdue"].with(row{"volume_id": "busy"}))
	for constraint, wrong := range against {
		h.changesNothing(func() {
			err := h.insert("records", plainRecord.with(row{"id": "new"}).with(wrong))
			require.Error(t, err, constraint)
			assert.Equal(t, constraint, violated(err), err)
		})
	}
	h.constraintsAre("records", against)
}

func TestEachConstraintOfTheOtherTablesRefusesWhatItIsFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	require.NoError(t, h.insert("findings", row{"reason": "a", "object": "o", "project_id": "p", "detail": "", "since": base, "seen_at": base}))
	for table, all := range map[string]map[string]row{
		"volumes": {
			"volumes_pkey":                    {"id": "v"},
			"volumes_retention_source":        {"retention_source": "rumour"},
			"volumes_lease_whole":             {"lease_token": "t"},
			"volumes_shorter_whole":           {"shorter": "1 day"},
			"volumes_protected_has_retention": {"retention": nil},
		},
		"leadership":   {"leadership_pkey": {}, "leadership_one": {"one": false}},
		"installation": {"installation_pkey": {}, "installation_one": {"one": false}},
		"findings":     {"findings_pkey": {"reason": "a", "object": "o", "project_id": "p", "detail": "", "since": base, "seen_at": base}},
	} {
		for constraint, wrong := range all {
			switch table {
			case "volumes":
				wrong = plainVolume.with(row{"id": "new"}).with(wrong)
			case "leadership", "installation":
				wrong = row{"one": true}.with(wrong)
			}
			h.changesNothing(func() {
				assert.Equal(t, constraint, violated(h.insert(table, wrong)))
			})
		}
		h.constraintsAre(table, all)
	}
}

// constraintsAre demands that the table has these constraints and unique
// indexes and no other: a new one comes with its case.
func (h *house) constraintsAre(table string, cases map[string]row) {
	h.t.Helper()
	rows, err := h.db.pool.Query(h.ctx, `
		SELECT conname::text FROM pg_constraint WHERE conrelid = $1::text::regclass
		UNION SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::text::regclass AND indisunique`, table)
	require.NoError(h.t, err)
	var names []string
	for rows.Next() {
		var name string
		require.NoError(h.t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(h.t, rows.Err())
	var told []string
	for name := range cases {
		told = append(told, name)
	}
	assert.ElementsMatch(h.t, told, names, table)
}

func TestOfManyPlansOneIsInProgress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	for _, state := range []string{"planned", "asked", "overdue"} {
		h.record(state, shapes[state])
		for _, other := range []string{"planned", "asked", "overdue"} {
			err := h.insert("records", plainRecord.with(row{"id": "second"}).with(shapes[other]).with(row{"backup_id": nil}))
			assert.Equal(t, "records_one_in_progress", violated(err), "%s beside %s", other, state)
		}
		h.exec("DELETE FROM records")
	}
}
