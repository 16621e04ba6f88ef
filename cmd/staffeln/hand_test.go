package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/show"
)

var interventions = []string{"backup-now", "cancel", "pause", "resume", "settle", "accept-losses"}

func TestInterventions_SayWhatTheyDoAndRead(t *testing.T) {
	for _, name := range interventions {
		out, _, err := command(t, name, "--help")
		require.NoError(t, err)
		for _, want := range []string{"STAFFELN_DATABASE_URL", "Examples:\n  staffeln " + name, "--yes", "--who", "`staffeln audit` shows afterwards who did it"} {
			require.Contains(t, out, want, name)
		}
		require.NotContains(t, out, "REDIS_URL", name)
		require.Equal(t, name == "settle", strings.Contains(out, "OS_CLOUD"), name)
		require.Equal(t, name == "settle", strings.Contains(out, "STAFFELN_OPENSTACK_SECRET_ROLES"), name)
		root, _, err := command(t, "--help")
		require.NoError(t, err)
		require.Contains(t, root, "  "+name+" ")
		completed, _, err := command(t, "__complete", name[:3])
		require.NoError(t, err)
		require.Contains(t, completed, name+"\t")
	}
}

func TestInterventions_ExitCodes(t *testing.T) {
	t.Setenv("OS_CLOUD", "")
	t.Setenv("OS_AUTH_URL", "")
	for _, args := range [][]string{{"backup-now"}, {"cancel"}, {"cancel", "a", "b"}, {"pause", "acme"}, {"resume", "acme"}, {"settle", "acme"}, {"accept-losses", "all"}, {"audit", "acme"}, {"pause", "--nonsense"}, {"backup-now", "data"}, {"pause"}, {"settle"}, {"accept-losses"}, {"audit"}} {
		require.Equal(t, exitConfig, run(t.Context(), args), args)
	}
	t.Setenv("STAFFELN_DATABASE_URL", "postgres://127.0.0.1:1/nowhere")
	require.Equal(t, exitFailed, run(t.Context(), []string{"pause"}))
	require.Equal(t, exitConfig, run(t.Context(), []string{"settle"}), "no cloud is given")
	require.Equal(t, exitConfig, run(t.Context(), []string{"audit", "--limit", "-1"}))
}

// One reader for all questions: what a script pipes in answers one after the other.
func TestHand_Confirm(t *testing.T) {
	var out bytes.Buffer
	h := &hand{in: bufio.NewReader(strings.NewReader("yes\nno\nY\n" + strings.Repeat("x", 10))), out: &out}
	require.NoError(t, h.confirm("First?"))
	require.ErrorIs(t, h.confirm("Second?"), errNotConfirmed)
	require.NoError(t, h.confirm("Third?"))
	require.ErrorIs(t, h.confirm("Fourth?"), errNotConfirmed)
	require.ErrorIs(t, h.confirm("After the end?"), errNotConfirmed)
	require.Equal(t, "First? [yes/no] yes\nSecond? [yes/no] no\nThird? [yes/no] Y\nFourth? [yes/no] xxxxxxxxxx\nAfter the end? [yes/no] \n", out.String())
	require.NoError(t, (&hand{yes: true}).confirm("Anything?"))
}

func TestHand_WhoIsAtTheTerminal(t *testing.T) {
	t.Setenv("SUDO_USER", "ann")
	require.True(t, strings.HasPrefix(person(), "ann@"), person())
	t.Setenv("SUDO_USER", "")
	require.NotEmpty(t, person())
}

// Whatever a worker did while the person thought, what they agreed to is what ends.
func TestCancel_TheSameStep(t *testing.T) {
	then := backup.Record{ID: "1", State: backup.Creating}
	require.True(t, sameStep(then, then))
	for _, now := range []backup.Record{
		{ID: "2", State: backup.Creating}, {ID: "1", State: backup.Available}, {ID: "1", State: backup.Creating, BackupID: "b"}, {ID: "1", State: backup.Creating, UnansweredRequestAt: &then.PlannedAt},
	} {
		require.False(t, sameStep(now, then), "%+v", now)
	}
}

// The estate says what the worker will do: it goes by what Cinder has, not by records alone.
func TestEstate_WhatGoes(t *testing.T) {
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
		there          []backup.Backup
		records        []backup.Record
		all            bool
		going, staying string
	}{
		"aged":       {[]backup.Backup{full}, []backup.Record{record(full, backup.Available)}, false, "a:expired", ""},
		"young":      {[]backup.Backup{full, leaf}, []backup.Record{record(full, backup.Available), record(leaf, backup.Available)}, false, "", "c:within_retention a:dependent_stays"},
		"all":        {[]backup.Backup{full, leaf}, []backup.Record{record(full, backup.Available), record(leaf, backup.Available)}, true, "c:settled a:settled", ""},
		"foreign":    {[]backup.Backup{full, incr}, []backup.Record{record(full, backup.Available)}, true, "", "b:foreign a:foreign_dependent"},
		"on its way": {[]backup.Backup{full}, []backup.Record{record(full, backup.Available), record(incr, backup.Deleting)}, true, "b:being_removed a:settled", ""},
		"stuck":      {[]backup.Backup{full}, []backup.Record{record(full, backup.Undeletable)}, false, "a:cannot_be_removed", ""},
		"not there":  {nil, []backup.Record{record(full, backup.Available)}, true, "", ""},
	} {
		e := estate{project: db.Project{ID: "p"}, at: noon.AddDate(0, 0, 2)}
		e.add(db.Volume{ID: "v", ProjectID: "p"}, backup.Keeping{Settled: c.all}, c.records, c.there)
		words := func(rows []show.Going) string {
			return strings.Join(show.Each(rows, func(g show.Going) string { return g.BackupID + ":" + string(g.Reason.Code) }), " ")
		}
		require.Equal(t, c.going, words(e.going), name)
		require.Equal(t, c.staying, words(e.staying), name)
	}
}
