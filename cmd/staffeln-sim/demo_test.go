package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/config"
)

// oneBackup returns a demo whose environment has one volume with a backup of ours, and a snapshot of it.
func oneBackup(t *testing.T) (*demo, *snapshot, *bytes.Buffer) {
	t.Helper()
	e, err := newEnvironment(t.Context(), "__staffeln_backup")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.stop()) })
	out := new(bytes.Buffer)
	d := &demo{out: out, environment: e, folder: "the logs' folder"}
	d.scenario = newScenario(e, nil)
	id := e.sim.AddBackup(cloudsim.NewBackup{Volume: e.volumes[0]})
	l := &snapshot{decisions: map[string]backup.Reason{}, records: []record{{
		ID: "record", ProjectName: "shop", VolumeName: "web-root", VolumeID: e.volumes[0], BackupID: id,
		State: backup.Available, Kind: backup.Full, Retention: time.Hour,
	}}}
	l.follow(e.sim.Journal())
	return d, l, out
}

func TestDemo_SucceedsIfAllInvariantsHold(t *testing.T) {
	d, l, out := oneBackup(t)
	require.NoError(t, d.conclude(l))
	require.Contains(t, out.String(), "backups made       1   1 full, 0 incremental\n")
	require.Contains(t, out.String(), "violations         0")
}

func TestDemo_FailsAndNamesTheViolation(t *testing.T) {
	d, l, out := oneBackup(t)
	held := l.records[0].BackupID
	l.records = nil
	require.ErrorContains(t, d.conclude(l), "check invariants: 1 violations")
	require.Contains(t, out.String(), "orphan: Cinder has it, and no record does, volume "+d.environment.volumes[0]+", backup "+held)
}

// From the journal of the cloud to the facts: a chain, a removal and its scope are read as Cinder means them.
func TestDemo_ReadsTheJournal(t *testing.T) {
	d, l, _ := oneBackup(t)
	sim, volume := d.environment.sim, d.environment.volumes[0]
	parent := l.records[0].BackupID
	child := sim.AddBackup(cloudsim.NewBackup{Volume: volume, Parent: parent, Metadata: map[string]string{backup.TagRecord: "its record"}})
	l.follow(sim.Journal())
	f := factsOf(l, sim)
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
	of := func(kind backup.Kind, state backup.State) record {
		return record{Kind: kind, State: state, VolumeID: "v"}
	}
	l := &snapshot{records: []record{
		of(backup.Full, backup.Deleted), of(backup.Incremental, backup.Deleted), of(backup.Full, backup.Failed),
		of(backup.Full, backup.Available), of(backup.Incremental, backup.Available), of(backup.Incremental, backup.Creating),
	}}
	require.Equal(t, "·· ■●○", text.StripEscape(drawChains(l.chains("v"))))
}

// No line is wider than the terminal, even with the longest contents.
func TestDemo_FitsItsTerminal(t *testing.T) {
	d, l, out := oneBackup(t)
	s, err := newSupervisor(t.Context(), "staffeln", t.TempDir(), nil)
	require.NoError(t, err)
	d.supervisor = s // no process runs, so a word follows every name
	for i, v := range d.environment.volumes {
		l.decisions[v] = backup.ChainContinues
		for _, state := range []backup.State{backup.Deleted, backup.Available, backup.Creating, backup.Failed}[:1+i%4] {
			l.records = append(l.records, record{VolumeID: v, State: state, Kind: backup.Incremental, Reason: backup.QuotaExceeded})
		}
	}
	l.records[0].State, l.records[0].BackupID, l.records[0].Reason = backup.Creating, "", backup.ResponseUnknown
	require.NoError(t, d.conclude(l))
	require.NoError(t, d.print(nextSteps))
	for _, columns := range []int{80, wideColumns} {
		s := &screen{demo: d}
		s.event(time.Hour, strings.Repeat("ab ", 100))
		lines := append(append(s.page(l, columns), legend()), s.events(columns)...)
		for _, line := range append(lines, strings.Split(out.String(), "\n")...) {
			require.LessOrEqual(t, text.StringWidthWithoutEscSequences(line), columns, line)
		}
		require.Equal(t, columns == wideColumns, strings.Contains(strings.Join(lines, "\n"), "restore points"))
	}
}

func TestDemo_NamesWhatIsMissing(t *testing.T) {
	t.Setenv("STAFFELN_DATABASE_URL", "")
	require.NoError(t, os.Unsetenv("STAFFELN_DATABASE_URL"))
	_, err := command(t, "demo")
	require.ErrorContains(t, err, "configuration refused")
	require.ErrorContains(t, err, "STAFFELN_DATABASE_URL: missing")
	require.ErrorContains(t, err, "STAFFELN_REDIS_URL: missing")
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	t.Setenv("STAFFELN_REDIS_URL", "redis://127.0.0.1:1/0")
	_, err = command(t, "demo")
	require.ErrorContains(t, err, "find staffeln beside staffeln-sim", "no program is beside a test's binary")
	require.ErrorContains(t, err, "run `make build`")
	_, err = openStores(t.Context(), config.Database{DatabaseURL: "postgres://127.0.0.1:1/nowhere"}, config.Queue{})
	require.ErrorContains(t, err, "check STAFFELN_DATABASE_URL")
}
