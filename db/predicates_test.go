package db

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A condition on a state in any other file would not follow package backup.
func TestConditionsOnStatesAreInOneFile(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	literal := regexp.MustCompile(`\bstate\s*(=|<>|(NOT )?IN\s*\(|WHEN)\s*'`)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "predicates.go" {
			continue
		}
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Empty(t, literal.FindAllString(string(source), -1), name)
	}
}

// indexConditions has the partial indexes on the state of records, and the conditions in the statements that need them.
// Postgres uses an index only if the statement's condition implies that of the index.
var indexConditions = map[string]string{
	"records_one_in_progress":        isInProgress,
	"records_restore_points":         isAvailable,
	"records_stored":                 isRestorePoint,
	"records_dated_ahead":            isAvailable + ` AND cinder_timestamp > data_timestamp`,
	"records_fulls":                  isAvailable + ` AND kind = 'full'`,
	"records_with_work":              hasWork,
	"records_past":                   isPast,
	"records_unreported":             isUnreported,
	"records_made":                   wasMade,
	"records_leftovers":              isLeftoverRemoval,
	"records_deleted":                isDeleted + ` AND available_at IS NOT NULL`,
	"records_failures":               isOtherFailure,
	"records_incremental_failures":   isIncrementalFailure,
	"records_volume_status_failures": isVolumeStatusFailure,
	"records_removal_unreported":     isUnreportedRemoval,
	"records_attempts":               isAttempted,
	"records_lost":                   isLost,
	"records_foreign_dependent":      hasForeignDependent,
	"records_links":                  isLink,
	"records_chain_heads":            isHead,
	"records_unsettled_links":        isUnsettledLink,
	"records_unfinished_of_project":  isUnfinished,
}

// constraintConditions has the constraints on several states.
var constraintConditions = map[string]string{
	"records_state":     stateIn(func(backup.State) bool { return true }),
	"records_end_dated": `(` + isInProgress + `) = (ended_at IS NULL)`,
}

// The SQL of a failed attempt, of what is shown and of its position is that of package backup, for each shape of a record.
func TestFailedAttemptsInSQLAreThoseOfPackageBackup(t *testing.T) {
	t.Parallel()
	for _, shape := range shapeNames() {
		h := newHarness(t)
		h.volume("v", nil)
		r := h.record("r", shapes[shape].with(row{"created_at": base.Add(-time.Minute)}))
		var failed bool
		var shown backup.State
		var at time.Time
		require.NoError(t, h.db.pool.QueryRow(h.ctx, `SELECT `+isFailedAttempt+`, `+shownState+`, `+cursorAt+` FROM records`).Scan(&failed, &shown, &at))
		assert.Equal(t, r.FailedAttempt(), failed, shape)
		assert.Equal(t, r.Outcome(), shown, shape)
		assert.Equal(t, r.HappenedAt(), at.UTC(), shape)
	}
}

func TestSchemaFollowsTheStates(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const indexes = `SELECT i.indexrelid::regclass::text, pg_get_expr(i.indpred, i.indrelid) FROM pg_index i
		WHERE i.indrelid = 'records'::regclass AND pg_get_expr(i.indpred, i.indrelid) LIKE '%state%'
			AND pg_get_expr(i.indpred, i.indrelid) NOT LIKE '%restoring%'`
	assert.Equal(t, h.parsed(indexConditions), h.pairs(indexes))
	const constraints = `SELECT conname, pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = ANY($1)`
	assert.Equal(t, h.parsed(constraintConditions), h.pairs(constraints, []string{"records_state", "records_end_dated"}))
}

// parsed returns the conditions as Postgres stores them.
func (h *harness) parsed(conditions map[string]string) map[string]string {
	h.t.Helper()
	parsed := map[string]string{}
	for name, condition := range conditions {
		h.exec(`ALTER TABLE records ADD CONSTRAINT parsed CHECK (` + condition + `) NOT VALID`)
		for _, text := range h.pairs(`SELECT conname, pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'parsed'`) {
			parsed[name] = text
		}
		h.exec(`ALTER TABLE records DROP CONSTRAINT parsed`)
	}
	return parsed
}

// pairs returns the names and conditions that the query selects, with the lists of states sorted.
func (h *harness) pairs(q string, args ...any) map[string]string {
	h.t.Helper()
	rows, err := h.db.pool.Query(h.ctx, q, args...)
	require.NoError(h.t, err)
	all := map[string]string{}
	var name, condition string
	list := regexp.MustCompile(`ARRAY\[[^]]*\]`)
	_, err = pgx.ForEachRow(rows, []any{&name, &condition}, func() error {
		all[name] = list.ReplaceAllStringFunc(condition, func(states string) string {
			names := strings.Split(strings.TrimSuffix(strings.TrimPrefix(states, "ARRAY["), "]"), ", ")
			slices.Sort(names)
			return "ARRAY[" + strings.Join(names, ", ") + "]"
		})
		return nil
	})
	require.NoError(h.t, err)
	return all
}
