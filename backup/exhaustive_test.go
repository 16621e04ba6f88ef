package backup

import (
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// EVERY history of up to five backups is given to both decisions: each letter of the alphabet at each position, in
// all combinations of the age bands that make a difference, in order of age. Backups in one band have the same
// second, because Cinder's clock has no finer resolution.
//
// Next does not read retentions and Expired reads neither interval nor depth, so each has its own bands: just below,
// at and above the interval (and twice the interval, where the maximum retry delay ends); and just below, at and
// above the retention. All five bands of Next are tried with up to four backups, three with five.
var (
	// full and incremental x available, error, creating, deleting
	letters = []string{"F", "Fe", "Fc", "Fd", "I", "Ie", "Ic", "Id"}
	// more letters, with up to three backups: leftovers being removed, lost, busy or refused backups; and foreign
	// ones
	moreRecords = append(slices.Clone(letters), "Fq", "Iq", "Fl", "Il", "Fr", "Ir", "Iu", "Ix", "Is", "Ik", "F@B")
	moreLinks   = append(slices.Clone(letters), "f", "i", "fe", "ie", "Ir", "Iu", "F@B", "I@B")

	intervalBands  = []string{"1h10min", "1h", "50min"}
	retryBands     = []string{"2h10min", "2h", "1h10min", "1h", "50min"}
	retentionBands = []string{"17d1s", "17d", "16d23h59min59s"}
)

// runParallel runs try in parallel for each n and first letter, and counts.
func runParallel(t *testing.T, n, letters int, try func(t *testing.T, first int) int64) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // much small garbage
	var cases atomic.Int64
	t.Run("histories", func(t *testing.T) {
		for first := range letters {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				cases.Add(try(t, first))
			})
		}
	})
	t.Logf("%d decisions on all histories of %d backups over %d letters", cases.Load(), n, letters)
}

// longest is five; four with -short, and with coverage under the race detector, whose atomic counters make the same
// work ten times slower.
func longest() int {
	if testing.Short() || testing.CoverMode() == "atomic" {
		return 4
	}
	return 5
}

func TestNextExhaustively(t *testing.T) {
	for n := 1; n <= longest(); n++ {
		switch n {
		case 5:
			nextExhaustively(t, n, letters, intervalBands)
		case 4:
			nextExhaustively(t, n, letters, retryBands)
		default:
			nextExhaustively(t, n, moreRecords, retryBands)
		}
	}
}

func nextExhaustively(t *testing.T, n int, letters, bands []string) {
	cells := table(t, n, letters, bands, recordAt(t))
	s, _ := subject(t, "")
	paused, _ := subject(t, "paused")
	manual, _ := subject(t, "byhand")
	wrong, _ := subject(t, "status=error")
	runParallel(t, n, len(letters), func(t *testing.T, first int) (count int64) {
		rs, given, before := make([]Record, n), make([]Record, n), make([]Record, n)
		histories(n, first, len(letters), len(bands), func(letter, band []int) {
			for i := range n {
				rs[i] = cells[i][letter[i]][band[i]]
			}
			for depth := range 3 {
				p := Policy{Period: 10 * time.Minute, Interval: time.Hour, Depth: depth}
				shuffle(given, rs, int(count))
				copy(before, given)
				d := Next(now, p, s, given)
				if breach := breachNext(p, s, rs, d); breach != "" || !slices.Equal(before, given) {
					t.Fatalf("depth %d: %s: %s: %q", depth, formatHistory(letters, bands, letter, band), formatDecision(d), breach)
				}
				if n <= 4 {
					hand := Next(now, p, manual, given)
					breach := breachPaused(d, Next(now, p, paused, given)) + breachManual(d, hand) + breachNext(p, manual, rs, hand) +
						breachNext(p, wrong, rs, Next(now, p, wrong, given))
					if breach != "" {
						t.Fatalf("depth %d: %s: %s", depth, formatHistory(letters, bands, letter, band), breach)
					}
				}
				if n <= 3 && d != Next(now, p, s, rs) {
					t.Fatalf("depth %d: %s: the order of the input matters", depth, formatHistory(letters, bands, letter, band))
				}
				count++
			}
		})
		return count
	})
}

func TestExpiredExhaustively(t *testing.T) {
	for n := 1; n <= longest(); n++ {
		if n <= 3 {
			expiredExhaustively(t, n, moreLinks)
		} else {
			expiredExhaustively(t, n, letters)
		}
	}
}

func expiredExhaustively(t *testing.T, n int, letters []string) {
	cells := table(t, n, letters, retentionBands, linkAt(t))
	runParallel(t, n, len(letters), func(t *testing.T, first int) (count int64) {
		ls, given, before := make([]Link, n), make([]Link, n), make([]Link, n)
		histories(n, first, len(letters), len(retentionBands), func(letter, band []int) {
			for i := range n {
				ls[i] = cells[i][letter[i]][band[i]]
			}
			for _, k := range constraintSets(n) {
				shuffle(given, ls, int(count))
				copy(before, given)
				removals, kept := Expired(now, k, given)
				if breach := breachExpired(k, ls, removals, kept); breach != "" || !slices.Equal(before, given) {
					t.Fatalf("%+v: %s: %s", k, formatHistory(letters, retentionBands, letter, band), breach)
				}
				if n <= 3 {
					again, still := Expired(now, k, ls)
					if !slices.Equal(again, removals) || !slices.Equal(still, kept) {
						t.Fatalf("%+v: %s: the order of the input matters", k, formatHistory(letters, retentionBands, letter, band))
					}
				}
				count++
			}
		})
		return count
	})
}

// constraintSets returns the floors, and with up to four backups also those with a creation in progress and of a
// purged project.
func constraintSets(n int) []Constraints {
	all := []Constraints{{Floor: 0}, {Floor: 1}, {Floor: 2}}
	if n <= 4 {
		return append(all, Constraints{Floor: 0, Building: true}, Constraints{Floor: 1, Building: true}, Constraints{Floor: 2, Building: true},
			Constraints{Purged: true}, Constraints{Floor: 2, Purged: true}, Constraints{Building: true, Purged: true})
	}
	return all
}
