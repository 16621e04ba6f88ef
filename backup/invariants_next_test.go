package backup

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// breachNext returns the invariant that a decision at now violates; empty if none. It reads the records independently
// of Next: link by link, newest first, as Cinder would. rs are oldest first.
func breachNext(p Policy, s Subject, rs []Record, d Decision) string {
	if !d.Reason.Known() || d.Reason.Sentence() == "" || d.Reason.Whose() == "" {
		return fmt.Sprintf("reason %q is not in the closed set", d.Reason)
	}
	if !d.At.IsZero() && !d.At.After(now) {
		return "it is to be asked again in the past"
	}
	if (d.Action == Create) != (d.Kind != "") || d.ForcedFull && d.Kind != Full {
		return "the kind does not fit the action"
	}
	f := factsOf(s, rs)
	fresh := f.success != nil && p.Interval > 0 && now.Sub(f.gridTime(p)) < p.Interval
	wanted := s.Protected && !s.Gone
	switch {
	case d.Action == Create && !wanted:
		return "made although nobody asks for it"
	case d.Action == Create && f.progress:
		return "made beside one in progress"
	case s.Paused && (d.Action == Create || d.Action == Fail):
		return "something begins although it is paused"
	case d.Action == Create && fresh && !s.Manual:
		return "made although a fresh one exists"
	case d.Action == Fail && f.refused && !s.Manual:
		return "one condition is recorded twice"
	case d.Action == Create && !s.CanBeBackedUp():
		return "made although Cinder refuses the volume"
	case d.Kind == Incremental:
		return breachIncremental(p, s, f)
	case d.Action == Create && d.ForcedFull != slices.Contains([]Reason{SizeChanged, NoUsableParent, LeftoverNotRemoved, ParentInUse}, d.Reason):
		return "the turn does not fit the reason"
	case d.Action == Wait && wanted:
		return breachWait(p, s, f, fresh, d)
	}
	return ""
}

type facts struct {
	progress   bool
	success    *Record
	lastFailed time.Time // since the success
	refused    bool      // because of the volume's status
	quota      bool      // one of them is an exceeded quota
	cinder     []Link    // what Cinder has or should have, oldest first
}

func factsOf(s Subject, rs []Record) (f facts) {
	for i, r := range rs {
		if r.State == Planned || r.State == Creating || r.State == Overdue {
			f.progress = true
		}
		if r.ProjectID != s.ProjectID {
			continue
		}
		if r.AvailableAt != nil && r.State != Lost && (f.success == nil || !r.PlannedAt.Before(f.success.PlannedAt)) {
			f.success = &rs[i]
		}
		if l, ok := r.link(); ok {
			f.cinder = append(f.cinder, l)
		}
	}
	for _, r := range rs {
		failed := r.ProjectID == s.ProjectID && r.AvailableAt == nil && r.EndedAt != nil &&
			r.State != Withdrawn && !r.State.InProgress()
		if failed && (f.success == nil || r.EndedAt.After(*f.success.AvailableAt)) && !r.EndedAt.Before(f.lastFailed) {
			f.refused = r.Reason.OfStatus() || f.refused && r.EndedAt.Equal(f.lastFailed)
			f.lastFailed = *r.EndedAt
			f.quota = f.quota || r.Reason == QuotaExceeded
		}
	}
	return f
}

// gridTime is the grid time of the newest success: ages count from grid time to grid time.
func (f facts) gridTime(p Policy) time.Time {
	s := int64(p.Period / time.Second)
	return time.Unix(f.success.PlannedAt.Unix()/s*s, 0)
}

// breachIncremental checks an incremental. Cinder uses the newest backup as parent, regardless of its status.
func breachIncremental(p Policy, s Subject, f facts) string {
	if len(f.cinder) == 0 {
		return "an incremental without a parent"
	}
	up := parents(f.cinder)
	i, on := len(f.cinder)-1, 1
	if f.cinder[i].Status != StatusAvailable {
		return "an incremental on a parent that is not available"
	}
	for ; f.cinder[i].Kind == Incremental; on++ {
		if i = up[i]; i < 0 {
			return "an incremental on a chain without a full"
		}
		if st := f.cinder[i].Status; st != StatusAvailable && st != StatusRestoring {
			return "an incremental on a chain with a gap"
		}
	}
	switch {
	case on > p.Depth:
		return fmt.Sprintf("incremental %d of %d", on, p.Depth)
	case f.cinder[i].SizeGiB != s.SizeGiB:
		return "an incremental on a chain of another size"
	}
	return ""
}

// breachWait checks that each wait has a cause and ends.
func breachWait(p Policy, s Subject, f facts, fresh bool, d Decision) string {
	newest := Status("")
	if n := len(f.cinder); n > 0 {
		newest = f.cinder[n-1].Status
	}
	maxDelay := max(p.Interval, p.Period)
	cause := map[Reason]bool{
		BackupInProgress:  f.progress,
		ProjectChanged:    f.progress,
		Paused:            s.Paused && !f.progress && d.At.IsZero(),
		BackupIsFresh:     !s.Manual && fresh && d.At.Equal(f.gridTime(p).Add(p.Interval)),
		VolumeStatus:      !s.Manual && f.refused,
		VolumeLeftInError: !s.Manual && f.refused && s.Status == errorBackingUp,
		VolumeChanging:    !s.CanBeBackedUp() && !strings.HasPrefix(s.Status, "error") || s.Migration != "",
		RetryLater:        !s.Manual && !f.lastFailed.IsZero() && (now.Sub(f.lastFailed) < maxDelay || f.quota && now.Sub(f.lastFailed) < QuotaPause),
		WaitsForLeftover:  newest == StatusError,
		WaitsForParent:    newest == StatusRestoring || newest == StatusDeleting,
	}
	if !cause[d.Reason] {
		return fmt.Sprintf("it waits for %s without a cause", d.Reason)
	}
	long := f.success != nil && now.Sub(f.gridTime(p)) >= p.Interval+maxDelay
	if (d.Reason == WaitsForLeftover || d.Reason == WaitsForParent) && long {
		return "it waits longer than one interval"
	}
	return ""
}

// breachPaused checks that a pause changes nothing about unwanted backups and backups in progress; everything else
// waits until the pause ends.
func breachPaused(ever, paused Decision) string {
	unaffected := []Reason{VolumeGone, NotProtected, ProjectChanged, BackupInProgress}
	want := Decision{Action: Wait, Reason: Paused}
	if slices.Contains(unaffected, ever.Reason) {
		want = ever
	}
	if paused != want {
		return "paused: " + formatDecision(paused) + ", want " + formatDecision(want)
	}
	return ""
}

// breachManual checks that a manual request skips only the interval and the delays.
func breachManual(ever, requested Decision) string {
	forTime := func(d Decision) bool {
		return d.Action == Wait && slices.Contains([]Reason{BackupIsFresh, VolumeStatus, VolumeLeftInError, RetryLater}, d.Reason)
	}
	switch {
	case forTime(requested):
		return "manual: it waits for its time: " + formatDecision(requested)
	case !forTime(ever) && requested != ever:
		return "manual: " + formatDecision(requested) + ", though it was not time that " + formatDecision(ever) + " waits for"
	}
	return ""
}
