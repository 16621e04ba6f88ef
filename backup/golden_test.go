package backup

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// Long histories, with expiry run until nothing more expires. Each line of testdata/expire/*.golden is one backup:
//
//	date kind -> why it is retained, and until when | the run in which it expires, and why
func TestExpiredGolden(t *testing.T) {
	for name, c := range map[string]struct {
		floor int
		links []Link
	}{
		"daily-two-weeks": {1, daily(t, 40, "F I I", "2w3d")},
		"daily-one-month": {1, daily(t, 100, "F I I I I I I", "1mon")},
		"fulls-only":      {2, daily(t, 30, "F", "1w")},
		"unprotected":     {0, daily(t, 20, "F I I", "2d")},
		"failing-since":   {1, slices.Concat(daily(t, 40, "F I I", "2w")[:12], daily(t, 28, "Fe", "2w"))},
		"floor-of-five":   {5, daily(t, 40, "F I", "1w")[:30]},
		"foreign-between": {1, daily(t, 20, "F I i I F I", "1w")},
		"lost-full":       {1, daily(t, 20, "Fu I I", "1w")},
		"retention-grew":  {1, slices.Concat(daily(t, 30, "F I I", "1w")[:15], daily(t, 15, "F I I", "4w"))},
		"two-projects":    {1, slices.Concat(daily(t, 30, "F I I", "1w")[:15], daily(t, 15, "F@B I@B I@B", "1w"))},
	} {
		t.Run(name, func(t *testing.T) {
			got := fmt.Sprintf("floor %d, seen on %s\n\n%s", c.floor, now.Format(time.DateOnly), runExpiry(t, c.floor, c.links))
			file := filepath.Join("testdata", "expire", name+".golden")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "changed on purpose? go test ./backup -run Golden -update")
		})
	}
}

// daily returns one link a day from this many days ago until yesterday, with the words in turn.
func daily(t *testing.T, days int, words, retention string) []Link {
	t.Helper()
	turn := strings.Fields(words)
	var history []string
	for i := range days {
		word, project, _ := cutProject(turn[i%len(turn)])
		history = append(history, fmt.Sprintf("%s-%dd%s:%s", word, days-i, project, retention))
	}
	ls := links(t, strings.Join(history, " "))
	for i := range ls {
		ls[i].BackupID = fmt.Sprintf("b-%d-%d", days, i)
	}
	return ls
}

// runExpiry runs expiry and formats the result for each link.
func runExpiry(t *testing.T, floor int, ls []Link) string {
	t.Helper()
	outcome := map[string]string{}
	left := ls
	for pass := 1; ; pass++ {
		require.LessOrEqual(t, pass, len(ls)+1, "it does not end")
		k := Constraints{Floor: floor}
		removals, kept := Expired(now, k, left)
		slices.SortStableFunc(left, func(a, b Link) int { return a.DataTime.Compare(b.DataTime) })
		require.Empty(t, breachExpired(k, left, removals, kept))
		for _, r := range removals {
			outcome[r.BackupID] = fmt.Sprintf("removed in pass %d: %s", pass, r.Reason)
		}
		left = nil
		for _, s := range kept {
			left = append(left, s.Link)
			outcome[s.BackupID] = "kept: " + string(s.Reason)
			if !s.Until.IsZero() {
				outcome[s.BackupID] += " until " + s.Until.Format(time.DateOnly)
			}
		}
		if len(removals) == 0 {
			break
		}
	}
	var b strings.Builder
	for _, l := range ls {
		name := string(l.Kind)
		if l.ProjectID != "A" {
			name += " of " + l.ProjectID
		}
		if l.Status != StatusAvailable {
			name += " (" + string(l.Status) + ")"
		}
		fmt.Fprintf(&b, "%s %-21s -> %s\n", l.DataTime.Format(time.DateOnly), name, outcome[l.BackupID])
	}
	return b.String()
}
