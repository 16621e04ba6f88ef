package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNextDepth(t *testing.T) {
	for _, c := range []struct{ depth0, depth1, depth2, history string }{
		{"full every_backup_full", "full first_backup", "full first_backup", ""},
		{"full every_backup_full", "incremental chain_continues", "incremental chain_continues", "F-3h"},
		{"full every_backup_full", "full chain_complete", "incremental chain_continues", "F-3h I-2h"},
		{"full every_backup_full", "full chain_complete", "full chain_complete", "F-3h I-2h I-1h"},
		{"full every_backup_full", "full chain_complete", "full chain_complete", "F-9h I-3h I-2h I-1h"},
		{"full every_backup_full", "incremental chain_continues", "incremental chain_continues", "F-9h I-3h I-2h F-1h"},
	} {
		check(t, "1h/10min depth 0", c.history, c.depth0)
		check(t, "1h/10min depth 1", c.history, c.depth1)
		check(t, "1h/10min depth 2", c.history, c.depth2)
	}
}

// Only restore points count: a failed full does not begin a chain.
func TestNextFirstBackup(t *testing.T) {
	for _, history := range []string{"Fe-2h", "Fx-2h Fe-1h", "Fq-2h", "Fu-2h", "Fl-2h", "Fw-2h", "Fg-2h", "Ie-2h"} {
		check(t, hourly, history, "full first_backup")
	}
}

func TestNextSizeChanged(t *testing.T) {
	check(t, hourly, "size=20 F-1h", "full! size_changed")
	check(t, hourly, "size=5 F-2h I-1h", "full! size_changed")
	check(t, hourly, "size=20 F-3h F-1h/20", "incremental chain_continues")
	check(t, hourly, "size=20 F-3h/20 I-2h", "incremental chain_continues")
	check(t, hourly, "size=20 F-3h I-2h I-1h", "full chain_complete") // not a forced full
}

func TestNextWaitsForLeftover(t *testing.T) {
	check(t, hourly, "F-1h Ie-20min", "wait waits_for_leftover 10min")
	check(t, hourly, "F-1h Ie-0s", "wait retry_later 10min")
	// At most one interval after the backup was due, then a forced full.
	check(t, hourly, "F-1h50min Ie-30min", "wait waits_for_leftover 10min")
	check(t, hourly, "F-2h Ie-30min", "full! leftover_not_removed")
	check(t, hourly, "F-9h Ie-30min", "full! leftover_not_removed")
	check(t, "0s/10min depth 2", "F-10min Ie-10min", "full! leftover_not_removed")
	// The leftover is gone, or Cinder never had it: the chain continues.
	check(t, hourly, "F-1h Ig-20min", "incremental chain_continues")
	check(t, hourly, "F-1h Ix-20min", "incremental chain_continues")
	check(t, hourly, "F-1h Iq-20min", "wait waits_for_parent 10min")
	// A leftover below a good link does not prevent a full that is due,
	check(t, hourly, "F-3h I-2h I-1h Fe-20min", "full chain_complete")
	check(t, hourly, "F-3h I-2h I-1h Fq-20min", "full chain_complete")
	// nor does a leftover full below an incremental.
	check(t, hourly, "F-3h Fe-2h I-1h", "incremental chain_continues")
	// A leftover that can't be removed blocks incrementals until the next full.
	check(t, hourly, "F-1h Iu-20min", "full! no_usable_parent")
	check(t, hourly, "F-1h Fu-20min", "full! no_usable_parent")
	check(t, hourly, "F-3h Fu-2h F-1h", "incremental chain_continues")
}

func TestNextWaitsForParentInUse(t *testing.T) {
	check(t, hourly, "Fr-1h", "wait waits_for_parent 10min")
	check(t, hourly, "Fr-1h50min", "wait waits_for_parent 10min")
	check(t, hourly, "Fr-2h", "full! parent_in_use")
	check(t, hourly, "F-2h Id-1h", "wait waits_for_parent 10min")
	check(t, hourly, "F-3h Id-2h", "full! parent_in_use")
	// A restore of an older link does not matter, and it never delays a full that is due.
	check(t, hourly, "Fr-2h I-1h", "incremental chain_continues")
	check(t, hourly, "F-3h I-2h Ir-1h", "full chain_complete")
}

// If no incremental is possible anyway, there is no wait.
func TestNextWaitsOnlyIfIncrementalIsPossible(t *testing.T) {
	check(t, hourly, "size=20 F-1h Fe-20min", "full! size_changed")
	check(t, hourly, "size=20 F-1h Ie-20min", "full! size_changed")
	check(t, hourly, "size=20 Fr-1h", "full! size_changed")
	check(t, hourly, "Fd-1h", "full! no_usable_parent")
	check(t, hourly, "F-3h Il-2h I-1h Ie-20min", "full! no_usable_parent")
	check(t, hourly, "F-9h I-3h I-2h Fd-1h", "full chain_complete")
}

func TestNextLostLink(t *testing.T) {
	check(t, hourly, "F-3h Il-2h I-1h", "full! no_usable_parent")
	check(t, hourly, "Fl-3h I-2h I-1h", "full! no_usable_parent")
	check(t, hourly, "F-2h Il-1h", "full! no_usable_parent")
	check(t, hourly, "Fl-9h Il-5h F-1h", "incremental chain_continues")
	// All successful backups are gone.
	check(t, hourly, "FD-2h", "full! no_usable_parent")
	check(t, hourly, "I-1h", "full! no_usable_parent")
}

// Cinder builds an incremental on the newest backup by its own clock: after that clock ran ahead, this is an older
// chain of ours until that time has come.
func TestNextUsesTheChainThatCinderUses(t *testing.T) {
	for history, want := range map[string]string{
		"F-4h F-1h":            "incremental chain_continues",
		"F-4h/5 F-1h":          "full! size_changed",
		"F-9h I-8h I-7h F-1h":  "full chain_complete",
		"F-9h I-4h Fl-3h F-1h": "incremental chain_continues",
	} {
		s, words := subject(t, history)
		rs := records(t, words)
		ahead := now.AddDate(1, 0, 0)
		for i := range rs { // the one of four or seven hours ago has a time in the next year
			if age := now.Sub(rs[i].PlannedAt); age == 4*time.Hour || age == 7*time.Hour {
				rs[i].CinderTimestamp = &ahead
			}
		}
		require.Equal(t, want, formatDecision(Next(now, rule(t, hourly), s, rs)), history)
	}
}
