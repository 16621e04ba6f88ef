package invariants

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func admitted(r *Record)   { r.Admitted = began }
func underPause(r *Record) { r.Paused = true }

// planned returns a record that was admitted at the beginning.
func planned(change ...func(*Record)) Record {
	return recordNow("", backup.Planned, append(change, admitted)...)
}

func deadline(d time.Duration) func(*Record) {
	return func(r *Record) { r.Deadline = began.Add(d) }
}

func again(d time.Duration) func(*Record) { return func(r *Record) { r.NextTry = began.Add(d) } }
func asked(d time.Duration) func(*Record) { return func(r *Record) { r.Asked = began.Add(d) } }

const (
	step      = time.Hour + time.Second   // more than a step takes
	removal   = 6*time.Hour + time.Second // more than a removal takes
	reconcile = 12*time.Hour + time.Second
)

func stuckMoments() []moment {
	return []moment{
		{StuckRecord, later(step, planned()), "it was admitted, and Cinder has not been asked"},
		{StuckRecord, later(5*time.Hour+step, planned(again(5*time.Hour))), "it was admitted"},
		{StuckRecord, later(step, recordNow("", "creating", deadline(day))), "nobody searches its backup"},
		{StuckRecord, later(5*time.Hour+step, recordNow("", "creating", asked(5*time.Hour))), "nobody searches its backup"},
		{StuckRecord, later(step, backupNow("a", "available"), recordNow("a", "creating", deadline(day))), "Cinder has ended its backup as available"},
		{StuckRecord, later(step, backupNow("a", "error"), recordNow("a", "overdue")), "Cinder has ended its backup as error"},
		{StuckRecord, later(step, backupNow("a", "error_deleting"), recordNow("a", "creating", deadline(day))), "as error_deleting"},
		{StuckRecord, later(5*time.Hour+step, backupNow("a", "creating"), recordNow("a", "creating", deadline(5*time.Hour))), "its deadline passed"},
		{StuckRecord, later(step, backupNow("a", "creating"), recordNow("a", "overdue")), "nobody polls it"},
		{StuckRecord, later(step, recordNow("a", "deleting")), "Cinder no longer has its backup"},
		{StuckRecord, later(removal, backupNow("a", "deleting"), recordNow("a", "deleting")), "neither ends nor is tried again"},
		{StuckRecord, later(removal, backupNow("a", "error_deleting"), recordNow("a", "undeletable")), "neither ends nor is tried again"},
		{StuckRecord, later(removal, recordNow("a", "undeletable")), "neither ends nor is tried again"},
		{StuckRecord, later(removal, backupNow("a", "error"), recordNow("a", "failed")), "nothing hinders the removal"},
		{StuckRecord, later(removal, backupNow("a", "available"), recordNow("a", "failed")), "nothing hinders the removal"},
		{StuckRecord, later(removal, recordNow("a", "failed")), "nothing hinders the removal"},
		{StuckRecord, later(reconcile, backupNow("a", "available"), recordNow("a", "lost")), "Cinder has its backup"},
	}
}

// The end of a journal is a moment, too.
func TestARecordIsStuckAtTheEndOfAJournal(t *testing.T) {
	h := newHistory().event(Requested, "a").event(Available, "a").record("a", backup.Creating, deadline(day))
	h.Limits = limits
	h.Now = began.Add(2 * time.Hour)
	require.Empty(t, Check(h.Facts), "an hour after its end")
	h.Now = h.Now.Add(time.Second)
	found := Check(h.Facts)
	require.Len(t, found, 1)
	require.Equal(t, StuckRecord, found[0].Invariant)
	require.Equal(t, "record of a", found[0].Record)
	h.Now = time.Time{}
	require.Empty(t, Check(h.Facts), "without a clock nothing is old")
}

func TestRecordsThatAreNotStuck(t *testing.T) {
	dependent := []any{backupNow("b", "available", incremental(1)), recordNow("b", "available")}
	for name, s := range map[string]Snapshot{
		"admitted within the limit":              later(time.Hour, planned()),
		"waits for admission":                    later(90*day, recordNow("", "planned")),
		"paused":                                 later(day, planned(underPause)),
		"waits for its next try":                 later(6*time.Hour, planned(again(5*time.Hour))),
		"asked a while ago":                      later(6*time.Hour, recordNow("", "creating", asked(5*time.Hour))),
		"paused before it is asked again":        later(day, recordNow("", "creating", underPause)),
		"made within the limit":                  later(6*time.Hour, backupNow("a", "available", func(b *Backup) { b.Since = began.Add(5 * time.Hour) }), recordNow("a", "creating", deadline(day))),
		"still made":                             later(5*time.Hour, backupNow("a", "creating"), recordNow("a", "creating", deadline(6*time.Hour))),
		"somebody else removes it":               later(5*time.Hour, backupNow("a", "deleting"), recordNow("a", "creating", deadline(6*time.Hour))),
		"a while after the deadline":             later(7*time.Hour, backupNow("a", "creating"), recordNow("a", "creating", deadline(6*time.Hour))),
		"asked to wait past the deadline":        later(9*time.Hour, backupNow("a", "creating"), recordNow("a", "creating", deadline(6*time.Hour), again(8*time.Hour))),
		"overdue, and polled":                    later(90*day, backupNow("a", "creating"), recordNow("a", "overdue", again(90*day))),
		"gone a moment ago":                      later(time.Hour, recordNow("a", "deleting")),
		"gone, and paused":                       later(time.Hour, recordNow("a", "deleting", underPause)),
		"being removed":                          later(6*time.Hour, backupNow("a", "deleting"), recordNow("a", "deleting")),
		"asked for again":                        later(9*time.Hour, backupNow("a", "deleting"), recordNow("a", "deleting", asked(4*time.Hour))),
		"tried daily":                            later(25*time.Hour, backupNow("a", "error_deleting"), recordNow("a", "undeletable", again(day))),
		"a removal during a pause":               later(9*day, backupNow("a", "available"), recordNow("a", "deleting", underPause)),
		"a leftover within the limit":            later(6*time.Hour, backupNow("a", "error"), recordNow("a", "failed")),
		"a leftover during a pause":              later(9*day, backupNow("a", "error"), recordNow("a", "failed", underPause)),
		"a leftover that others depend on":       later(9*day, append(dependent, backupNow("a", "available"), recordNow("a", "failed"))...),
		"a leftover whose volume is backed up":   later(day, backupNow("a", "error"), recordNow("a", "failed"), recordNow("", "planned")),
		"a leftover that somebody removes":       later(9*day, backupNow("a", "deleting"), recordNow("a", "failed")),
		"a failure that left nothing":            later(90*day, recordNow("", "failed")),
		"lost for good":                          later(90*day, recordNow("a", "lost")),
		"back, and the reconcile is yet to come": later(12*time.Hour, backupNow("a", "available"), recordNow("a", "lost")),
		"back, and bad":                          later(90*day, backupNow("a", "error"), recordNow("a", "lost")),
		"at rest":                                later(900*day, backupNow("a", "available"), recordNow("a", "available"), recordNow("", "withdrawn"), recordNow("c", "deleted")),
		"no limit of a step":                     later(9*day, planned(), limits.without("step")),
		"no limit of a removal":                  later(9*day, backupNow("a", "error"), recordNow("a", "failed"), limits.without("removal")),
		"no limit of the reconcile":              later(9*day, backupNow("a", "available"), recordNow("a", "lost"), limits.without("reconcile")),
		"changed since the listing began":        later(step, backupNow("a", "available"), recordNow("a", "creating", deadline(day)), began),
	} {
		require.Empty(t, CheckNow(s), name)
	}
}
