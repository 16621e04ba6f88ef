package backup

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// historyOf generates histories of up to twelve words: two projects, equal times, several sizes and retentions. A
// counterexample is printed in the notation.
func historyOf(symbols, ages []string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		words := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom(symbols).Draw(t, "kind") + "-" + rapid.SampledFrom(ages).Draw(t, "age") +
				rapid.SampledFrom([]string{"", "", "", "@B"}).Draw(t, "project") +
				rapid.SampledFrom([]string{"", "", "", "/20"}).Draw(t, "size") +
				rapid.SampledFrom([]string{"", "", ":1w", ":1mon", ":0s"}).Draw(t, "retention")
		}), 0, 12).Draw(t, "words")
		return strings.Join(words, " ")
	})
}

var (
	anyLinks = historyOf(
		strings.Fields("F F F I I I I Fe Ie Fc Ic Fd Id Fr Ir Fu Iu Iz f i fe ie ic"),
		strings.Fields("30d 29d 28d 20d 18d 17d 17d 16d 10d 7d 7d 6d 1d 1h 1h 0s"))
	anyRecords = historyOf(
		strings.Fields("F F F I I I I Fe Ie Fx Ix Fs Is Fq Iq Fg Ig Fu Iu Fd Id FD ID Fl Il Fr Ir Iw Ip Ic"),
		strings.Fields("9h 8h 5h 4h 3h 3h 2h10min 2h 2h 1h50min 1h10min 1h 1h 50min 30min 20min 10min 10min 0s"))
)

func TestExpiredProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		history := anyLinks.Draw(r, "history")
		k := Constraints{Floor: rapid.IntRange(0, 3).Draw(r, "floor"), Building: rapid.Bool().Draw(r, "building"), Purged: rapid.Bool().Draw(r, "purged")}
		ls := links(t, history)
		slices.SortStableFunc(ls, func(a, b Link) int { return a.DataTime.Compare(b.DataTime) })
		given := rapid.Permutation(ls).Draw(r, "order")
		before := slices.Clone(given)

		removals, kept := Expired(now, k, given)
		require.Empty(r, breachExpired(k, ls, removals, kept))
		require.Equal(r, before, given, "the input was changed")
		again, still := Expired(now, k, ls)
		require.Equal(r, removals, again, "the order of the input matters")
		require.Equal(r, kept, still, "the order of the input matters")
	})
}

// Run after run, expiry ends, and at its end the floor is still complete.
func TestExpiredEnds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ls := links(t, anyLinks.Draw(r, "history"))
		k := Constraints{Floor: rapid.IntRange(0, 3).Draw(r, "floor")}
		ours := func(ls []Link) int { return len(slices.DeleteFunc(Restorable(ls), Link.Foreign)) }
		want := min(k.Floor, ours(ls))
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
			require.GreaterOrEqual(r, ours(ls), want, "restore points under the floor went")
		}
	})
}

func TestChainsProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ls := links(t, anyLinks.Draw(r, "history"))
		slices.SortStableFunc(ls, func(a, b Link) int { return a.DataTime.Compare(b.DataTime) })
		up, parent, restorable := parents(ls), map[string]string{}, []Link(nil)
		for i, l := range ls {
			if up[i] >= 0 {
				parent[l.BackupID] = ls[up[i]].BackupID
			}
			if couldBeRestored(ls, up, i) {
				restorable = append(restorable, l)
			}
		}
		n := 0
		for _, c := range Chains(rapid.Permutation(ls).Draw(r, "order")) {
			on := ""
			for _, l := range c {
				require.Equal(r, on, parent[l.BackupID], "%s depends on another link", l.BackupID)
				on = l.BackupID
				n++
			}
		}
		require.Equal(r, len(ls), n, "chains lose or double links")
		require.Equal(r, restorable, Restorable(ls))
	})
}

func TestNextProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		history := anyRecords.Draw(r, "history")
		p := Policy{
			Interval: span(t, rapid.SampledFrom([]string{"0s", "10min", "1h", "2h"}).Draw(r, "interval")),
			Period:   span(t, rapid.SampledFrom([]string{"10min", "30min", "1h"}).Draw(r, "period")),
			Depth:    rapid.IntRange(0, 3).Draw(r, "depth"),
		}
		volume := rapid.SampledFrom([]string{"", "", "", "", "size=20", "project=B", "status=error", "gone", "unprotected"}).Draw(r, "volume")
		by := rapid.SampledFrom([]string{"", "", "", "paused", "manual", "paused manual"}).Draw(r, "flags")
		ever, _ := subject(t, volume)
		s, _ := subject(t, volume+" "+by)
		rs := records(t, history)
		slices.SortStableFunc(rs, func(a, b Record) int { return a.PlannedAt.Compare(b.PlannedAt) })
		given := rapid.Permutation(rs).Draw(r, "order")
		before := slices.Clone(given)

		d := Next(now, p, s, given)
		require.Empty(r, breachNext(p, s, rs, d), "%s", formatDecision(d))
		switch plain := Next(now, p, ever, given); {
		case s.Paused:
			require.Empty(r, breachPaused(plain, d))
		case s.Manual:
			require.Empty(r, breachManual(plain, d))
		}
		require.Equal(r, before, given, "the input was changed")
		require.Equal(r, d, Next(now, p, s, rs), "the order of the input matters")
		if d.Reason == WaitsForLeftover || d.Reason == WaitsForParent {
			require.Equal(r, Incremental, Next(now, p, s, afterWaiting(rs)).Kind, "it waits for nothing that helps")
		}
	})
}

// afterWaiting returns the history after everything that Next waits for has happened: leftovers and removals are gone,
// restores are over.
func afterWaiting(rs []Record) (after []Record) {
	for _, r := range rs {
		r.CinderStatus = ""
		if r.State == Failed || r.State == Deleting {
			r.State, r.BackupID = Deleted, ""
		}
		after = append(after, r)
	}
	return after
}
