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
	return says("", backup.Planned, append(change, admitted)...)
}

func deadline(d time.Duration) func(*Record) {
	return func(r *Record) { r.Deadline = began.Add(d) }
}

func again(d time.Duration) func(*Record) { return func(r *Record) { r.NextTry = began.Add(d) } }
func asked(d time.Duration) func(*Record) { return func(r *Record) { r.Asked = began.Add(d) } }

const (
	step    = time.Hour + time.Second   // more than a step takes
	removal = 6*time.Hour + time.Second // more than a removal takes
	sweep   = 12*time.Hour + time.Second
)

func stuckMoments() []moment {
	return []moment{
		{StuckRecord, later(step, planned()), "it was admitted, and Cinder has not been asked"},
		{StuckRecord, later(5*time.Hour+step, planned(again(5*time.Hour))), "it was admitted"},
		{StuckRecord, later(step, says("", "creating", deadline(day))), "nobody looks for the answer"},
		{StuckRecord, later(5*time.Hour+step, says("", "creating", asked(5*time.Hour))), "nobody looks for the answer"},
		{StuckRecord, later(step, there("a", "available"), says("a", "creating", deadline(day))), "Cinder has ended its backup as available"},
		{StuckRecord, later(step, there("a", "error"), says("a", "overdue")), "Cinder has ended its backup as error"},
		{StuckRecord, later(step, there("a", "error_deleting"), says("a", "creating", deadline(day))), "as error_deleting"},
		{StuckRecord, later(5*time.Hour+step, there("a", "creating"), says("a", "creating", deadline(5*time.Hour))), "its deadline passed"},
		{StuckRecord, later(step, there("a", "creating"), says("a", "overdue")), "nobody looks after it"},
		{StuckRecord, later(step, says("a", "deleting")), "Cinder no longer has its backup"},
		{StuckRecord, later(removal, there("a", "deleting"), says("a", "deleting")), "neither ends nor is tried again"},
		{StuckRecord, later(removal, there("a", "error_deleting"), says("a", "undeletable")), "neither ends nor is tried again"},
		{StuckRecord, later(removal, says("a", "undeletable")), "neither ends nor is tried again"},
		{StuckRecord, later(removal, there("a", "error"), says("a", "failed")), "nothing hinders the removal"},
		{StuckRecord, later(removal, there("a", "available"), says("a", "failed")), "nothing hinders the removal"},
		{StuckRecord, later(removal, says("a", "failed")), "nothing hinders the removal"},
		{StuckRecord, later(sweep, there("a", "available"), says("a", "lost")), "Cinder has its backup"},
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
	dependent := []any{there("b", "available", incremental(1)), says("b", "available")}
	for name, s := range map[string]Snapshot{
		"admitted within the limit":            later(time.Hour, planned()),
		"waits for admission":                  later(90*day, says("", "planned")),
		"paused":                               later(day, planned(underPause)),
		"waits for its next try":               later(6*time.Hour, planned(again(5*time.Hour))),
		"asked a while ago":                    later(6*time.Hour, says("", "creating", asked(5*time.Hour))),
		"paused before it is asked again":      later(day, says("", "creating", underPause)),
		"made within the limit":                later(6*time.Hour, there("a", "available", func(b *Backup) { b.Since = began.Add(5 * time.Hour) }), says("a", "creating", deadline(day))),
		"still made":                           later(5*time.Hour, there("a", "creating"), says("a", "creating", deadline(6*time.Hour))),
		"somebody else removes it":             later(5*time.Hour, there("a", "deleting"), says("a", "creating", deadline(6*time.Hour))),
		"a while after the deadline":           later(7*time.Hour, there("a", "creating"), says("a", "creating", deadline(6*time.Hour))),
		"asked to wait past the deadline":      later(9*time.Hour, there("a", "creating"), says("a", "creating", deadline(6*time.Hour), again(8*time.Hour))),
		"overdue, and looked after":            later(90*day, there("a", "creating"), says("a", "overdue", again(90*day))),
		"gone a moment ago":                    later(time.Hour, says("a", "deleting")),
		"gone, and paused":                     later(time.Hour, says("a", "deleting", underPause)),
		"being removed":                        later(6*time.Hour, there("a", "deleting"), says("a", "deleting")),
		"asked for again":                      later(9*time.Hour, there("a", "deleting"), says("a", "deleting", asked(4*time.Hour))),
		"tried daily":                          later(25*time.Hour, there("a", "error_deleting"), says("a", "undeletable", again(day))),
		"a removal during a pause":             later(9*day, there("a", "available"), says("a", "deleting", underPause)),
		"a leftover within the limit":          later(6*time.Hour, there("a", "error"), says("a", "failed")),
		"a leftover during a pause":            later(9*day, there("a", "error"), says("a", "failed", underPause)),
		"a leftover that others stand on":      later(9*day, append(dependent, there("a", "available"), says("a", "failed"))...),
		"a leftover whose volume is backed up": later(day, there("a", "error"), says("a", "failed"), says("", "planned")),
		"a leftover that somebody removes":     later(9*day, there("a", "deleting"), says("a", "failed")),
		"a failure that left nothing":          later(90*day, says("", "failed")),
		"lost for good":                        later(90*day, says("a", "lost")),
		"back, and the sweep is yet to come":   later(12*time.Hour, there("a", "available"), says("a", "lost")),
		"back, and bad":                        later(90*day, there("a", "error"), says("a", "lost")),
		"at rest":                              later(900*day, there("a", "available"), says("a", "available"), says("", "withdrawn"), says("c", "deleted")),
		"no limit of a step":                   later(9*day, planned(), limits.without("step")),
		"no limit of a removal":                later(9*day, there("a", "error"), says("a", "failed"), limits.without("removal")),
		"no limit of the sweep":                later(9*day, there("a", "available"), says("a", "lost"), limits.without("sweep")),
		"changed since the listing began":      later(step, there("a", "available"), says("a", "creating", deadline(day)), began),
	} {
		require.Empty(t, CheckNow(s), name)
	}
}
