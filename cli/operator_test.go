package cli

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

var operatorCommands = []string{"backup-now", "cancel", "pause", "resume", "purge-project", "confirm-lost", "import", "plan", "reconcile"}

func TestOperatorCommands_Help(t *testing.T) {
	for _, name := range operatorCommands {
		out, _, err := command(t, name, "--help")
		require.NoError(t, err)
		for _, want := range []string{"STAFFELN_DATABASE_URL", "Examples:\n  staffeln " + name, "--yes", "--who", "`staffeln audit` shows it afterwards, with the name of the person"} {
			require.Contains(t, out, want, name)
		}
		require.NotContains(t, out, "REDIS_URL", name)
		require.Equal(t, name == "purge-project" || name == "import", strings.Contains(out, "OS_CLOUD"), name)
		require.Equal(t, name == "purge-project" || name == "import", strings.Contains(out, "STAFFELN_OPENSTACK_SECRET_ROLES"), name)
		root, _, err := command(t, "--help")
		require.NoError(t, err)
		require.Contains(t, root, "  "+name+" ")
		completed, _, err := command(t, "__complete", name[:3])
		require.NoError(t, err)
		require.Contains(t, completed, name+"\t")
	}
}

func TestOperatorCommands_ExitCodes(t *testing.T) {
	t.Setenv("OS_CLOUD", "")
	t.Setenv("OS_AUTH_URL", "")
	for _, args := range [][]string{{"backup-now"}, {"cancel"}, {"cancel", "a", "b"}, {"pause", "acme"}, {"resume", "acme"}, {"purge-project", "acme"}, {"confirm-lost", "all"}, {"import"}, {"import", "acme"}, {"import", "--backups", "nowhere"}, {"audit", "acme"}, {"pause", "--nonsense"}, {"backup-now", "data"}, {"pause"}, {"purge-project"}, {"confirm-lost"}, {"audit"}} {
		require.Equal(t, ExitUsage, exitCode(t, args...), args)
	}
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	require.Equal(t, ExitFailed, exitCode(t, "pause"))
	require.Equal(t, ExitUsage, exitCode(t, "purge-project"), "no cloud configured")
	require.Equal(t, ExitUsage, exitCode(t, "audit", "--limit", "-1"))
}

// One reader serves all questions, so that a script can pipe in several replies.
func TestOperator_Confirm(t *testing.T) {
	var out bytes.Buffer
	o := &operator{in: bufio.NewReader(strings.NewReader("yes\nno\nY\n" + strings.Repeat("x", 10))), out: &out}
	require.NoError(t, o.confirm("First?"))
	require.ErrorIs(t, o.confirm("Second?"), errNotConfirmed)
	require.NoError(t, o.confirm("Third?"))
	require.ErrorIs(t, o.confirm("Fourth?"), errNotConfirmed)
	require.ErrorIs(t, o.confirm("After the end?"), errNotConfirmed)
	require.Equal(t, "First? [yes/no] yes\nSecond? [yes/no] no\nThird? [yes/no] Y\nFourth? [yes/no] xxxxxxxxxx\nAfter the end? [yes/no] \n", out.String())
	require.NoError(t, (&operator{yes: true}).confirm("Anything?"))
}

func TestPerson(t *testing.T) {
	t.Setenv("SUDO_USER", "ann")
	require.True(t, strings.HasPrefix(person(), "ann@"), person())
	t.Setenv("SUDO_USER", "")
	require.NotEmpty(t, person())
}

// Only the record that the person agreed to cancel is cancelled.
func TestCancel_Unchanged(t *testing.T) {
	then := backup.Record{ID: "1", State: backup.Creating}
	require.True(t, unchanged(then, then))
	for _, now := range []backup.Record{
		{ID: "2", State: backup.Creating}, {ID: "1", State: backup.Available}, {ID: "1", State: backup.Creating, BackupID: "b"}, {ID: "1", State: backup.Creating, UnansweredRequestAt: &then.PlannedAt},
	} {
		require.False(t, unchanged(now, then), "%+v", now)
	}
}

// The listing shows what the worker will do: it uses what Cinder has, not only the records.
func TestOrphanedProject(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(day int) backup.Backup {
		b := backup.Backup{ID: string(rune('a' + day)), ProjectID: "p", VolumeID: "v", Status: backup.StatusAvailable, Incremental: day > 0}
		b.DataTimestamp = noon.AddDate(0, 0, day)
		return b
	}
	record := func(b backup.Backup, state backup.State) backup.Record {
		kind := backup.Full
		if b.Incremental {
			kind = backup.Incremental
		}
		return backup.Record{Kind: kind, ID: "r" + b.ID, ProjectID: "p", VolumeID: "v", BackupID: b.ID, State: state, Retention: backup.Period{Days: 1}, DataTimestamp: &b.DataTimestamp, AvailableAt: &b.DataTimestamp}
	}
	full, incr, leaf := at(0), at(1), at(2)
	for name, c := range map[string]struct {
		there         []backup.Backup
		records       []backup.Record
		all           bool
		removed, kept string
	}{
		"aged":       {[]backup.Backup{full}, []backup.Record{record(full, backup.Available)}, false, "a:expired", ""},
		"young":      {[]backup.Backup{full, leaf}, []backup.Record{record(full, backup.Available), record(leaf, backup.Available)}, false, "", "c:within_retention a:kept_for_dependent"},
		"all":        {[]backup.Backup{full, leaf}, []backup.Record{record(full, backup.Available), record(leaf, backup.Available)}, true, "c:project_purged a:project_purged", ""},
		"foreign":    {[]backup.Backup{full, incr}, []backup.Record{record(full, backup.Available)}, true, "", "b:foreign a:foreign_dependent"},
		"on its way": {[]backup.Backup{full}, []backup.Record{record(full, backup.Available), record(incr, backup.Deleting)}, true, "b:being_removed a:project_purged", ""},
		"stuck":      {[]backup.Backup{full}, []backup.Record{record(full, backup.Undeletable)}, false, "a:cannot_be_removed", ""},
		"not there":  {nil, []backup.Record{record(full, backup.Available)}, true, "", ""},
	} {
		e := orphanedProject{project: db.Project{ID: "p"}, at: noon.AddDate(0, 0, 2)}
		e.add(db.Volume{ID: "v", ProjectID: "p"}, backup.Constraints{Purged: c.all}, c.records, c.there)
		words := func(rows []view.Expiring) string {
			return strings.Join(view.Each(rows, func(g view.Expiring) string { return g.BackupID + ":" + string(g.Reason.Code) }), " ")
		}
		require.Equal(t, c.removed, words(e.removed), name)
		require.Equal(t, c.kept, words(e.kept), name)
	}
}
