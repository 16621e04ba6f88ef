package view

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "changed on purpose? go test ./view -run TestForms -update")
}

func TestForms(t *testing.T) {
	for name, r := range map[string]Report{"day": day(), "healthy": dayWithoutProblems(), "robbed": dayWithEarlyRemovals()} {
		t.Run(name, func(t *testing.T) {
			page, err := r.HTML()
			require.NoError(t, err)
			golden(t, name+".html", page)
			golden(t, name+".txt", r.Text())
			text, err := r.JSON()
			require.NoError(t, err)
			golden(t, name+".json", string(text))
			event, err := r.Event()
			require.NoError(t, err)
			line, err := json.Marshal(event)
			require.NoError(t, err)
			golden(t, name+".event.json", string(line)+"\n")

			again, err := ReadReport(text)
			require.NoError(t, err)
			require.Equal(t, r, again, "what is kept is what was made")
			for line := range strings.SplitSeq(r.Text(), "\n") {
				require.LessOrEqual(t, len([]rune(line)), textWidth, line)
			}
			require.NotContains(t, r.Subject(), "\n")
		})
	}
	require.Equal(t, "Backups of all projects: 2 volumes are late, 5 backups failed, 1 project is short of quota, there are 2 findings", day().Subject())
	well := dayWithoutProblems()
	well.Projects[0].Backups = quota(10, 2, 0)
	require.Equal(t, "Backups of acme: all is well, 2 made", well.Subject())
}

// The page loads nothing: a mail client sends no request to show it.
func TestPageLoadsNoExternalContent(t *testing.T) {
	page, err := day().HTML()
	require.NoError(t, err)
	for _, word := range []string{"http:", "https:", "src=", "url(", "<script", "<img", "<link"} {
		require.NotContains(t, page, word)
	}
}

// A volume without a restore point for longer than LateAfter makes a report not well; one that waits for less does not.
func TestVolumeWithoutRestorePointPastRPOIsReported(t *testing.T) {
	since := noon.Add(-3 * 24 * time.Hour)
	waits := Late{VolumeNames: volume("acme", 1), Since: &since, Reason: ReasonOf(backup.FirstBackup)}
	p := ReportProject{ID: id(9, 1), Name: "acme", Never: []Late{waits}}
	require.True(t, p.Empty())
	require.Equal(t, "All is well: 0 backups were made, none failed, nothing is late. 1 volume waits for a first backup.", p.Count().Sentence())
	overdue := waits
	overdue.TooLong = true
	p.Never = append(p.Never, overdue)
	require.False(t, p.Empty())
	require.Equal(t, Red, p.Count().Level())
	r := Report{Group: p.ID, Projects: []ReportProject{p}}
	require.Equal(t, "Backups of acme: 1 volume has no restore point", r.Subject())
	require.Equal(t, "Not all is well: 1 volume has no restore point; 0 backups were made. 1 volume waits for a first backup.", r.Count().Sentence())
	require.Contains(t, r.Text(), "Protected since "+Clock(since)+".")
}
