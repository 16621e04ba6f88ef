package backup

import (
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// EVERY history of up to five backups is given to both decisions: each symbol of the alphabet at each position, in
// all combinations of the age bands that make a difference, in order of age. Backups in one band have the same
// second, because Cinder's clock has no finer resolution.
//
// Next does not read retentions and Expired reads neither interval nor depth, so each has its own bands: just below,
// at and above the interval (and twice the interval, where the maximum retry delay ends); and just below, at and
// above the retention. All five bands of Next are tried with up to four backups, three with five.
var (
	// full and incremental x available, error, creating, deleting
	symbols = []string{"F", "Fe", "Fc", "Fd", "I", "Ie", "Ic", "Id"}
	// more symbols, with up to three backups: leftovers being removed; backups that are lost, in use or refused; and
	// foreign ones
	moreRecords = append(slices.Clone(symbols), "Fq", "Iq", "Fl", "Il", "Fr", "Ir", "Iu", "Ix", "Is", "Ik", "F@B")
	moreLinks   = append(slices.Clone(symbols), "f", "i", "fe", "ie", "Ir", "Iu", "F@B", "I@B")

	intervalBands  = []string{"1h10min", "1h", "50min"}
	retryBands     = []string{"2h10min", "2h", "1h10min", "1h", "50min"}
	retentionBands = []string{"17d1s", "17d", "16d23h59min59s"}
)

// runParallel runs try in parallel for each n and first symbol, and counts.
func runParallel(t *testing.T, n, symbols int, try func(t *testing.T, first int) int64) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // much small garbage
	var cases atomic.Int64
	t.Run("histories", func(t *testing.T) {
		for first := range symbols {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				cases.Add(try(t, first))
			})
		}
	})
	t.Logf("%d decisions on all histories of %d backups over %d symbols", cases.Load(), n, symbols)
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
			nextExhaustively(t, n, symbols, intervalBands)
		case 4:
			nextExhaustively(t, n, symbols, retryBands)
		default:
			nextExhaustively(t, n, moreRecords, retryBands)
		}
	}
}

func nextExhaustively(t *testing.T, n int, symbols, bands []string) {
	cells := table(t, n, symbols, bands, recordAt(t))
	s, _ := subject(t, "")
	paused, _ := subject(t, "paused")
	manual, _ := subject(t, "manual")
	wrong, _ := subject(t, "status=error")
	runParallel(t, n, len(symbols), func(t *testing.T, first int) (count int64) {
		rs, given, before := make([]Record, n), make([]Record, n), make([]Record, n)
		histories(n, first, len(symbols), len(bands), func(symbol, band []int) {
			for i := range n {
				rs[i] = cells[i][symbol[i]][band[i]]
			}
			for depth := range 3 {
				p := Policy{Period: 10 * time.Minute, Interval: time.Hour, Depth: depth}
				shuffle(given, rs, int(count))
				copy(before, given)
				d := Next(now, p, s, given)
				if breach := breachNext(p, s, rs, d); breach != "" || !slices.Equal(before, given) {
					t.Fatalf("depth %d: %s: %s: %q", depth, formatHistory(symbols, bands, symbol, band), formatDecision(d), breach)
				}
				if n <= 4 {
					requested := Next(now, p, manual, given)
					breach := breachPaused(d, Next(now, p, paused, given)) + breachManual(d, requested) + breachNext(p, manual, rs, requested) +
						breachNext(p, wrong, rs, Next(now, p, wrong, given))
					if breach != "" {
						t.Fatalf("depth %d: %s: %s", depth, formatHistory(symbols, bands, symbol, band), breach)
					}
				}
				if n <= 3 && d != Next(now, p, s, rs) {
					t.Fatalf("depth %d: %s: the order of the input matters", depth, formatHistory(symbols, bands, symbol, band))
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
			expiredExhaustively(t, n, symbols)
		}
	}
}

func expiredExhaustively(t *testing.T, n int, symbols []string) {
	cells := table(t, n, symbols, retentionBands, linkAt(t))
	runParallel(t, n, len(symbols), func(t *testing.T, first int) (count int64) {
		ls, given, before := make([]Link, n), make([]Link, n), make([]Link, n)
		histories(n, first, len(symbols), len(retentionBands), func(symbol, band []int) {
			for i := range n {
				ls[i] = cells[i][symbol[i]][band[i]]
			}
			for _, k := range constraintSets(n) {
				shuffle(given, ls, int(count))
				copy(before, given)
				removals, kept := Expired(now, k, given)
				if breach := breachExpired(k, ls, removals, kept); breach != "" || !slices.Equal(before, given) {
					t.Fatalf("%+v: %s: %s", k, formatHistory(symbols, retentionBands, symbol, band), breach)
				}
				if n <= 3 {
					again, still := Expired(now, k, ls)
					if !slices.Equal(again, removals) || !slices.Equal(still, kept) {
						t.Fatalf("%+v: %s: the order of the input matters", k, formatHistory(symbols, retentionBands, symbol, band))
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
