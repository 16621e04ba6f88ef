package backup

import (
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// EVERY history of up to five backups is put to both decisions: each letter of
// the alphabet at each place, spread in every way over the bands of age that
// make a difference, older ones never younger than newer ones. Several in one
// band share their second: Cinder's clock has no finer one.
//
// Next does not read retentions and Expired reads neither interval nor depth,
// so each has its own bands: just below, at and above the interval (and twice
// the interval, where patience ends), just below, at and above the retention.
// All five bands of Next are tried up to four backups, three with five.
var (
	// full and incremental x available, error, creating, deleting
	letters = []string{"F", "Fe", "Fc", "Fd", "I", "Ie", "Ic", "Id"}
	// further ones, up to three backups: leftovers on their way, what is lost,
	// busy or refused; and what is foreign
	moreRecords = append(slices.Clone(letters), "Fq", "Iq", "Fl", "Il", "Fr", "Ir", "Iu", "Ix", "Is", "F@B")
	moreLinks   = append(slices.Clone(letters), "f", "i", "fe", "ie", "Ir", "Iu", "F@B", "I@B")

	intervalBands  = []string{"1h10min", "1h", "50min"}
	patienceBands  = []string{"2h10min", "2h", "1h10min", "1h", "50min"}
	retentionBands = []string{"17d1s", "17d", "16d23h59min59s"}
)

// histories calls do with every history of n letters over the bands; first
// fixes the first letter, so that the work can be shared out.
func histories(n, first, letters, bands int, do func(letter, band []int)) {
	letter, band := make([]int, n), make([]int, n)
	var ages func(i, from int)
	ages = func(i, from int) {
		if i == n {
			do(letter, band)
			return
		}
		for band[i] = from; band[i] < bands; band[i]++ {
			ages(i+1, band[i])
		}
	}
	var words func(i int)
	words = func(i int) {
		if i == n {
			ages(0, 0)
			return
		}
		for letter[i] = range letters {
			words(i + 1)
		}
	}
	letter[0] = first
	words(1)
}

// table reads every word once: place, letter, band.
func table[T any](t *testing.T, n int, letters, bands []string, read func(word, int) T) [][][]T {
	cells := make([][][]T, n)
	for i := range cells {
		cells[i] = make([][]T, len(letters))
		for j, l := range letters {
			for _, age := range bands {
				name, project, _ := cutProject(l)
				cells[i][j] = append(cells[i][j], read(parseWord(t, i+1, name+"-"+age+project), i))
			}
		}
	}
	return cells
}

func cutProject(l string) (name, project string, found bool) {
	if i := slices.Index([]byte(l), '@'); i >= 0 {
		return l[:i], l[i:], true
	}
	return l, "", false
}

// recordAt dates the ends of those that share a second by their places, and
// linkAt their creation: an order that Cinder's ties leave open.
func recordAt(t *testing.T) func(word, int) Record {
	return func(w word, place int) Record {
		r := w.record(t)
		end := w.at.Add(time.Duration(place) * time.Second)
		r.EndedAt, r.ChangedAt = &end, end
		if r.AvailableAt != nil {
			r.AvailableAt = &end
		}
		return r
	}
}

func linkAt(t *testing.T) func(word, int) Link {
	return func(w word, place int) Link {
		l := w.link(t)
		l.CreatedTime = w.at.Add(time.Duration(place) * time.Second)
		return l
	}
}

// everywhere runs try for each n and first letter, side by side, and counts.
func everywhere(t *testing.T, n, letters int, try func(t *testing.T, first int) int64) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // small garbage, much of it
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

// longest is five; four with -short, and where coverage is counted under the
// race detector, whose atomic counters make the same work ten times as long.
func longest() int {
	if testing.Short() || testing.CoverMode() == "atomic" {
		return 4
	}
	return 5
}

func TestNextExhaustively(t *testing.T) {
	for n := 1; n <= longest(); n++ {
		if n <= 3 {
			nextExhaustively(t, n, moreRecords, patienceBands)
		} else if n == 4 {
			nextExhaustively(t, n, letters, patienceBands)
		} else {
			nextExhaustively(t, n, letters, intervalBands)
		}
	}
}

func nextExhaustively(t *testing.T, n int, letters, bands []string) {
	cells := table(t, n, letters, bands, recordAt(t))
	s, _ := subject(t, "")
	everywhere(t, n, len(letters), func(t *testing.T, first int) (count int64) {
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
					t.Fatalf("depth %d: %s: %s: %q", depth, tell(letters, bands, letter, band), say(d), breach)
				}
				if n <= 3 && d != Next(now, p, s, rs) {
					t.Fatalf("depth %d: %s: the order of the input matters", depth, tell(letters, bands, letter, band))
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
	everywhere(t, n, len(letters), func(t *testing.T, first int) (count int64) {
		ls, given, before := make([]Link, n), make([]Link, n), make([]Link, n)
		histories(n, first, len(letters), len(retentionBands), func(letter, band []int) {
			for i := range n {
				ls[i] = cells[i][letter[i]][band[i]]
			}
			for _, k := range keepings(n) {
				shuffle(given, ls, int(count))
				copy(before, given)
				removals, kept := Expired(now, k, given)
				if breach := breachExpired(k, ls, removals, kept); breach != "" || !slices.Equal(before, given) {
					t.Fatalf("%+v: %s: %s", k, tell(letters, retentionBands, letter, band), breach)
				}
				if n <= 3 {
					again, still := Expired(now, k, ls)
					if !slices.Equal(again, removals) || !slices.Equal(still, kept) {
						t.Fatalf("%+v: %s: the order of the input matters", k, tell(letters, retentionBands, letter, band))
					}
				}
				count++
			}
		})
		return count
	})
}

// keepings are the floors, and up to four backups also with a creation under way.
func keepings(n int) []Keeping {
	all := []Keeping{{Floor: 0}, {Floor: 1}, {Floor: 2}}
	if n <= 4 {
		return append(all, Keeping{0, true}, Keeping{1, true}, Keeping{2, true})
	}
	return all
}

// shuffle copies src in another order, another one at each turn.
func shuffle[T any](dst, src []T, turn int) {
	n := len(src)
	for i := range src {
		dst[(i+turn)%n] = src[i]
	}
	if turn/n%2 == 1 {
		slices.Reverse(dst)
	}
}

func tell(letters, bands []string, letter, band []int) (history string) {
	for i := range letter {
		history += letters[letter[i]] + "-" + bands[band[i]] + " "
	}
	return history
}
