package invariants

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A moment is a snapshot that violates one invariant.
type moment struct {
	invariant Invariant
	s         Snapshot
	text      string
}

var limits = Limits{Step: time.Hour, Removal: 6 * time.Hour, Reconcile: 12 * time.Hour}

// backupNow returns a backup of ours that Cinder has had since the beginning.
func backupNow(id string, status backup.Status, change ...func(*Backup)) Backup {
	b := Backup{ID: id, Volume: "v", Project: "p", Ours: true, Status: status, Kind: backup.Full, Data: began, Since: began}
	for _, c := range change {
		c(&b)
	}
	return b
}

// recordNow returns a record of a backup (empty: none yet) that has not changed since the beginning.
func recordNow(id string, state backup.State, change ...func(*Record)) Record {
	r := Record{ID: "record of " + id, Volume: "v", Project: "p", Backup: id, State: state, Changed: began}
	for _, c := range change {
		c(&r)
	}
	return r
}

func incremental(after time.Duration) func(*Backup) {
	return func(b *Backup) { b.Kind, b.Data = backup.Incremental, began.Add(after) }
}

func full(after time.Duration) func(*Backup) { return func(b *Backup) { b.Data = began.Add(after) } }

// later returns a snapshot at this time after the beginning.
func later(d time.Duration, things ...any) Snapshot {
	s := Snapshot{Now: began.Add(d), Limits: limits}
	for _, thing := range things {
		switch thing := thing.(type) {
		case Backup:
			s.Backups = append(s.Backups, thing)
		case Record:
			s.Records = append(s.Records, thing)
		case Limits:
			s.Limits = thing
		case time.Time:
			s.Listed = thing
		}
	}
	return s
}

func moments() []moment {
	chain := []Backup{backupNow("a", "available"), backupNow("b", "available", incremental(1)), backupNow("c", "available", incremental(2))}
	recs := []Record{recordNow("a", "available"), recordNow("b", "available"), recordNow("c", "available")}
	bad := chain[1]
	bad.Status = "error"
	return append(stuckMoments(), []moment{
		{Orphan, later(13*time.Hour, backupNow("a", "available")), "no record does"},
		{Orphan, later(0, backupNow("a", "available"), limits.without("reconcile")), "no record does"},
		{Orphan, later(time.Minute, backupNow("a", "available"), began.Add(time.Second)), "no record does"},
		{Orphan, later(0, backupNow("a", "deleting"), recordNow("a", "deleted")), "its record is deleted"},
		{LostRecord, later(0, recordNow("a", "available")), "Cinder does not have its backup"},
		{LostRecord, later(0, recordNow("a", "overdue")), "Cinder does not have its backup"},
		{LostRecord, later(day, recordNow("a", "available"), began.Add(time.Second)), "Cinder does not have its backup"},
		{Overlap, later(0, backupNow("a", "creating"), backupNow("b", "creating"), recordNow("a", "creating"), recordNow("b", "failed")), "while backup a of the volume is"},
		{Overlap, later(0, backupNow("a", "creating"), recordNow("a", "creating"), recordNow("", "planned")), "and so is record record of a of the volume (creating)"},
		{Duplicate, later(0, backupNow("a", "available"), recordNow("a", "available"), recordNow("a", "failed")), "record record of a holds the same backup"},
		{FalseRecord, later(0, backupNow("a", "available", func(b *Backup) { b.Ours, b.Foreign = false, true }), recordNow("a", "available")), "not ours"},
		{FalseRecord, later(0, backupNow("a", "available", func(b *Backup) { b.Volume = "w" }), recordNow("a", "available")), "of volume w"},
		{FalseRecord, later(0, backupNow("a", "available", func(b *Backup) { b.Project = "q" }), recordNow("a", "available")), "of project q"},
		{FalseRecord, later(0, backupNow("a", "creating"), recordNow("a", "available")), "still making"},
		{FalseRecord, later(0, backupNow("a", "available"), recordNow("a", "available", func(r *Record) { r.Kind = backup.Incremental })), "of kind incremental, and the backup in Cinder is full"},
		{IllegalChain, later(0, chain[1], recs[1]), "can't be restored: there is no full beneath it"},
		{IllegalChain, later(0, chain[0], bad, chain[2], recs[0], recs[1], recs[2]), "can't be restored: backup b beneath it is error"},
		{IllegalChain, later(0, chain[1], recs[1], recordNow("x", "lost", func(r *Record) { r.Volume = "w" })), "no full beneath it"},
		{IllegalChain, later(0, chain[1], recs[1], recordNow("x", "deleted")), "no full beneath it"},
		{IllegalChain, later(0, backupNow("b", "available", incremental(1), func(b *Backup) { b.Ours = false }), recs[1]), "no full beneath it"}, // imported
	}...)
}

func (l Limits) without(what string) Limits {
	switch what {
	case "step":
		l.Step = 0
	case "removal":
		l.Removal = 0
	default:
		l.Reconcile = 0
	}
	return l
}

// Each invariant of a snapshot is violated in each way: only it is reported.
func TestSnapshotsWithViolation(t *testing.T) {
	for i, m := range moments() {
		t.Run(fmt.Sprint(i, " ", m.invariant), func(t *testing.T) {
			found := CheckNow(m.s)
			require.Len(t, found, 1, "%v", found)
			require.Equal(t, m.invariant, found[0].Invariant)
			require.Contains(t, found[0].Text, m.text)
			require.Equal(t, "v", found[0].Volume)
			require.Equal(t, "p", found[0].Project)
			require.Zero(t, found[0].At)
			require.NotEmpty(t, found[0].Backup+found[0].Record)
		})
	}
}

// Similar snapshots without a violation.
func TestSnapshotsWithoutViolation(t *testing.T) {
	since := func(d time.Duration) func(*Backup) { return func(b *Backup) { b.Since = began.Add(d) } }
	for name, s := range map[string]Snapshot{
		"one that the reconcile has not seen":   later(12*time.Hour, backupNow("a", "available")),
		"one that came late":                    later(20*time.Hour, backupNow("a", "available", since(8*time.Hour))),
		"one that a record waits for":           later(30*time.Hour, backupNow("a", "available", func(b *Backup) { b.Tag = "record of " }), recordNow("", "creating", func(r *Record) { r.NextTry = began.Add(30 * time.Hour) })),
		"somebody else's":                       later(day, backupNow("a", "available", func(b *Backup) { b.Ours = false })),
		"a tenant rewrote the tag":              later(0, backupNow("a", "available", func(b *Backup) { b.Ours = false }), recordNow("a", "available")),
		"removed while it was listed":           later(time.Hour, backupNow("a", "deleting"), recordNow("a", "deleted"), began),
		"made while it was listed":              later(time.Hour, recordNow("a", "available"), began),
		"confirmed":                             later(time.Hour, recordNow("a", "deleted"), recordNow("b", "lost"), recordNow("c", "failed"), recordNow("", "withdrawn")),
		"two that are made of two volumes":      later(0, backupNow("a", "creating"), backupNow("b", "creating", func(b *Backup) { b.Volume = "w" }), recordNow("a", "creating"), recordNow("b", "creating", func(r *Record) { r.Volume = "w" })),
		"the tenant's is made beside ours":      later(0, backupNow("a", "creating"), backupNow("b", "creating", func(b *Backup) { b.Ours = false }), recordNow("a", "creating")),
		"records of nothing":                    later(0, recordNow("", "failed"), recordNow("", "withdrawn"), recordNow("", "failed")),
		"the kind is not known":                 later(0, backupNow("a", "available"), recordNow("a", "available"), backupNow("b", "available", func(b *Backup) { b.Kind = "" }), recordNow("b", "available", func(r *Record) { r.Kind = backup.Full })),
		"the wish may differ from the fact":     later(0, backupNow("a", "creating"), recordNow("a", "creating", func(r *Record) { r.Kind = backup.Incremental })),
		"a record without its project":          later(0, backupNow("a", "available"), recordNow("a", "available", func(r *Record) { r.Project = "" })),
		"a chain whose loss is known":           later(0, backupNow("b", "available", incremental(1)), recordNow("b", "available"), recordNow("a", "lost")),
		"a chain":                               later(0, backupNow("a", "available"), recordNow("a", "available"), backupNow("b", "restoring", incremental(1)), recordNow("b", "available"), backupNow("c", "available", incremental(2)), recordNow("c", "available")),
		"a chain that is being removed":         later(0, backupNow("a", "available"), recordNow("a", "available"), backupNow("b", "deleting", incremental(1)), recordNow("b", "deleting")),
		"a full after what failed":              later(0, backupNow("a", "error"), recordNow("a", "failed"), backupNow("b", "available", full(1)), recordNow("b", "available"), backupNow("c", "available", incremental(2)), recordNow("c", "available")),
		"the tenant's own chain":                later(0, backupNow("b", "available", incremental(1), func(b *Backup) { b.Ours = false })),
		"a volume with backups in two projects": later(0, backupNow("a", "available"), recordNow("a", "available"), backupNow("b", "available", func(b *Backup) { b.Project = "q" }), recordNow("b", "available", func(r *Record) { r.Project = "q" })),
	} {
		require.Empty(t, CheckNow(s), name)
	}
}

// A missing link is one violation: that of the record that lost it.
func TestLostLinkIsOneViolation(t *testing.T) {
	found := CheckNow(later(0, recordNow("a", "available"), backupNow("b", "available", incremental(1)), recordNow("b", "available")))
	require.Len(t, found, 1)
	require.Equal(t, LostRecord, found[0].Invariant)
	require.Equal(t, "a", found[0].Backup)
}
