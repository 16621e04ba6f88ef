package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// checkable is a demo whose world has one volume with a backup of ours, and a look at it.
func checkable(t *testing.T) (*demo, *sight, *bytes.Buffer) {
	t.Helper()
	w, err := newDemoWorld(t.Context(), "__staffeln_backup")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.stop()) })
	out := new(bytes.Buffer)
	d := &demo{out: out, world: w, folder: "the logs' folder"}
	d.story = newStory(w, nil)
	id := w.sim.AddBackup(cloudsim.NewBackup{Volume: w.volumes[0]})
	l := &sight{decisions: map[string]backup.Reason{}, records: []demoRecord{{
		ID: "record", ProjectName: "shop", VolumeName: "web-root", VolumeID: w.volumes[0], BackupID: id,
		State: backup.Available, Kind: backup.Full, Retention: time.Hour,
	}}}
	l.follow(w.sim.Journal())
	return d, l, out
}

func TestDemo_EndsWellWhereEveryLawHolds(t *testing.T) {
	d, l, out := checkable(t)
	require.NoError(t, d.conclude(l))
	require.Contains(t, out.String(), "backups made       1   1 full, 0 incremental\n")
	require.Contains(t, out.String(), "violations         0")
}

func TestDemo_FailsAndNamesWhatIsBroken(t *testing.T) {
	d, l, out := checkable(t)
	held := l.records[0].BackupID
	l.records = nil
	require.ErrorContains(t, d.conclude(l), "check laws: 1 violations")
	require.Contains(t, out.String(), "orphan: Cinder has it, and no record does, volume "+d.world.volumes[0]+", backup "+held)
}

// The whole way from the world's journal to the law: Cinder's words for a chain, a removal and its scope are understood.
func TestDemo_TheJournalIsUnderstood(t *testing.T) {
	d, l, _ := checkable(t)
	sim, volume := d.world.sim, d.world.volumes[0]
	parent := l.records[0].BackupID
	child := sim.AddBackup(cloudsim.NewBackup{Volume: volume, Parent: parent, Metadata: map[string]string{backup.TagRecord: "its record"}})
	l.follow(sim.Journal())
	f := lawFacts(l, sim)
	require.Len(t, f.Journal, 4)
	asked := f.Journal[2]
	require.Equal(t, []string{child, parent, "its record"}, []string{asked.Backup, asked.Parent, asked.Tag})
	require.True(t, asked.Ours)
	require.True(t, f.Journal[1].Full)
	require.False(t, f.Journal[3].Full)
	require.Equal(t, asked.Project, asked.Scope)
	require.Equal(t, "1h", f.Records[0].Retention.String())
}

func TestDemo_DrawsChains(t *testing.T) {
	of := func(kind backup.Kind, state backup.State) demoRecord {
		return demoRecord{Kind: kind, State: state, VolumeID: "v"}
	}
	l := &sight{records: []demoRecord{
		of(backup.Full, backup.Deleted), of(backup.Incremental, backup.Deleted), of(backup.Full, backup.Failed),
		of(backup.Full, backup.Available), of(backup.Incremental, backup.Available), of(backup.Incremental, backup.Creating),
	}}
	require.Equal(t, "·· ■●○", text.StripEscape(drawn(l.chains("v"))))
}

// Nothing is cut off or wrapped where the terminal is as wide as it says, at the widest that there is to show.
func TestDemo_FitsItsTerminal(t *testing.T) {
	d, l, out := checkable(t)
	house, err := newHousehold(t.Context(), t.TempDir(), nil)
	require.NoError(t, err)
	d.house = house // nobody runs: every name is followed by a word
	for i, v := range d.world.volumes {
		l.decisions[v] = backup.ChainContinues
		for _, state := range []backup.State{backup.Deleted, backup.Available, backup.Creating, backup.Failed}[:1+i%4] {
			l.records = append(l.records, demoRecord{VolumeID: v, State: state, Kind: backup.Incremental, Reason: backup.QuotaExceeded})
		}
	}
	l.records[0].State, l.records[0].BackupID, l.records[0].Reason = backup.Creating, "", backup.AnswerUnknown
	require.NoError(t, d.conclude(l))
	require.NoError(t, d.say(nextSteps))
	for _, columns := range []int{80, wideColumns} {
		s := &demoScreen{demo: d}
		s.tell(time.Hour, strings.Repeat("ab ", 100))
		lines := append(append(s.page(l, columns), legend()), s.story(columns)...)
		for _, line := range append(lines, strings.Split(out.String(), "\n")...) {
			require.LessOrEqual(t, text.StringWidthWithoutEscSequences(line), columns, line)
		}
		require.Equal(t, columns == wideColumns, strings.Contains(strings.Join(lines, "\n"), "restore points"))
	}
}

func TestDemo_TellsWhatIsMissing(t *testing.T) {
	_, _, err := command(t, "demo")
	require.ErrorContains(t, err, "nothing was started")
	require.ErrorContains(t, err, "STAFFELN_DATABASE_URL: missing")
	require.ErrorContains(t, err, "STAFFELN_REDIS_URL: missing")
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	t.Setenv("STAFFELN_REDIS_URL", "redis://127.0.0.1:1/0")
	_, _, err = command(t, "demo")
	require.ErrorContains(t, err, "is STAFFELN_DATABASE_URL right")
}
