package backup

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The backups of a deleted project are removed at any age, but in the same careful order.
func TestExpiredPurged(t *testing.T) {
	for name, c := range map[string]struct{ constraints, history, want string }{
		"young":                    {"floor 0 purged", "F-1h", "-project_purged"},
		"old":                      {"floor 0 purged", "F-30d", "-project_purged"},
		"without a retention":      {"floor 0 purged", "F-999d:0s", "-project_purged"},
		"under the floor":          {"floor 9 purged", "F-2d F-1d", "-project_purged -project_purged"},
		"leaf first":               {"floor 0 purged", "F-3h I-2h I-1h", "dependent_first dependent_first -project_purged"},
		"of each chain one":        {"floor 0 purged", "F-4h I-3h F-2h I-1h", "dependent_first -project_purged dependent_first -project_purged"},
		"an orphaned incremental":  {"floor 0 purged", "I-2h I-1h", "dependent_first -project_purged"},
		"a leftover":               {"floor 0 purged", "F-2h Ie-1h", "dependent_first -failed_leftover"},
		"foreign":                  {"floor 0 purged", "f-1h fe-1h", "foreign foreign"},
		"a foreign one on top":     {"floor 0 purged", "F-3h I-2h i-1h", "foreign_dependent foreign_dependent foreign"},
		"a foreign one below":      {"floor 0 purged", "f-2h I-1h", "foreign -project_purged"},
		"being made":               {"floor 0 purged", "F-2h Ic-1h", "kept_for_dependent being_created"},
		"being restored":           {"floor 0 purged", "F-2h Ir-1h", "kept_for_dependent being_restored"},
		"being removed":            {"floor 0 purged", "F-2h Id-1h", "dependent_first being_removed"},
		"its removal hangs":        {"floor 0 purged", "F-2h Iu-1h", "kept_for_dependent cannot_be_removed"},
		"of a status nobody knows": {"floor 0 purged", "F-2h Iz-1h", "kept_for_dependent status_unknown"},
		"a creation is under way":  {"floor 0 purged building", "F-2h I-1h", "creation_builds_on_chain creation_builds_on_chain"},
		"retained if not purged":   {"floor 0", "F-1h", "within_retention"},
	} {
		t.Run(name, func(t *testing.T) { checkExpired(t, c.constraints, c.history, c.want) })
	}
}

// Run after run, purge-project ends. Of our backups remain only those that are in use in Cinder, that have an unknown
// status, or that a foreign backup depends on.
func TestPurgeProjectEnds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ls := links(t, anyLinks.Draw(r, "history"))
		k := Constraints{Floor: rapid.IntRange(0, 3).Draw(r, "floor"), Purged: true}
		for pass := 0; ; pass++ {
			require.LessOrEqual(r, pass, 12, "it does not end")
			removals, kept := Expired(now, k, ls)
			if len(removals) == 0 {
				break
			}
			ls = nil
			for _, s := range kept {
				ls = append(ls, s.Link)
			}
		}
		for _, c := range Chains(ls) {
			leaf := c[len(c)-1]
			ours := !leaf.Foreign() && (leaf.Status == StatusAvailable || leaf.Status == StatusError)
			require.False(r, ours, "%s remains", leaf.BackupID)
		}
	})
}
