package backup

import (
	"cmp"
	"slices"
	"time"
)

// An Action is what a decision asks for.
type Action string

// The actions.
const (
	Wait     Action = "wait"     // nothing now
	Create   Action = "create"   // plan a backup
	Fail     Action = "fail"     // record that none can be made now
	Withdraw Action = "withdraw" // end the planned record
)

// A Decision is what is to be done for one volume now, and why, or why not.
type Decision struct {
	Action     Action
	Kind       Kind // with Create
	Reason     Reason
	ForcedFull bool      // a full that the depth did not ask for
	At         time.Time // when the answer may change by time alone; zero where it can't
}

// A Subject is the volume a decision is about.
type Subject struct {
	Volume
	Protected bool
	Gone      bool // 404 by ID, to a verified admin
	Paused    bool // the operator lets nothing new start
	Manual    bool // the operator asks for a backup now: neither interval nor retry delay counts
	// QuotaFreed is when a backup of ours in the volume's project was removed
	// last; nil: not within [QuotaPause].
	QuotaFreed *time.Time
}

// Freed returns s with the time at which its project's quota got room, of those
// by project.
func (s Subject) Freed(by map[string]time.Time) Subject {
	if at, ok := by[s.ProjectID]; ok {
		s.QuotaFreed = &at
	}
	return s
}

// Next decides what is to be done for one volume now. Records are those of the
// volume, in any order: all in progress, the newest chain (also what is being
// removed or could not be), the newest success, and the failures since. The
// records of other projects that once owned the volume are passed over.
func Next(now time.Time, p Policy, s Subject, records []Record) Decision {
	beat := Grid(now, p.Period)
	h := newHistory(s.Volume, records)

	// 1. What must not go on.
	if reason, ends := unwanted(s, h); ends {
		if h.progress != nil && h.progress.State == Planned {
			return Decision{Action: Withdraw, Reason: reason}
		}
		return Decision{Action: Wait, Reason: reason}
	}
	if h.progress != nil {
		return Decision{Action: Wait, Reason: BackupInProgress}
	}

	if s.Paused {
		return Decision{Action: Wait, Reason: Paused}
	}

	// 2. Due? Ages count from beat to beat, so that no jitter costs a backup.
	due := beat
	if h.success != nil {
		due = Grid(h.success.PlannedAt, p.Period).Add(p.Interval)
		if p.Interval > 0 && beat.Before(due) && !s.Manual {
			return Decision{Action: Wait, Reason: BackupIsFresh, At: due}
		}
	}

	// 3. Would Cinder take it? A change passes. Anything else is recorded once,
	// for the report, however long it lasts.
	switch {
	case s.changing():
		return Decision{Action: Wait, Reason: VolumeChanging}
	case !s.CanBeBackedUp() && h.refused && !s.Manual:
		return Decision{Action: Wait, Reason: VolumeStatus}
	case !s.CanBeBackedUp():
		return Decision{Action: Fail, Reason: VolumeStatus}
	}

	// 4. A failure is not a success, but it is not tried again at once either.
	if again := h.again(p, s.QuotaFreed); h.failures > 0 && beat.Before(again) && !s.Manual {
		return Decision{Action: Wait, Reason: RetryLater, At: again}
	}

	// 5. Full or incremental.
	return h.kind(p, s.Volume, beat, due)
}

func unwanted(s Subject, h history) (Reason, bool) {
	switch {
	case s.Gone:
		return VolumeGone, true
	case !s.Protected:
		return NotProtected, true
	case h.progress != nil && h.progress.ProjectID != s.ProjectID:
		return ProjectChanged, true
	}
	return "", false
}

// history is what the records of one volume say.
type history struct {
	progress *Record
	success  *Record   // newest
	refused  bool      // the newest failure since the success is one by the volume's status
	failedAt time.Time // newest other failure since the success
	failures int       // how many of those
	overfull bool      // the newest of those met a full quota
	broken   int       // of those, incrementals that Cinder accepted and that ended in error
	links    []Link
}

func newHistory(v Volume, records []Record) history {
	var h history
	newestFirst := make([]*Record, len(records))
	for i := range records {
		newestFirst[i] = &records[i]
	}
	slices.SortFunc(newestFirst, func(a, b *Record) int {
		return cmp.Or(b.dated().Compare(a.dated()), cmp.Compare(b.ID, a.ID))
	})
	for _, r := range newestFirst {
		if r.State.InProgress() {
			h.progress = r
			continue
		}
		if r.ProjectID != v.ProjectID {
			continue
		}
		if l, ok := r.link(); ok {
			h.links = append(h.links, l)
		}
		if r.Succeeded() && (h.success == nil || r.PlannedAt.After(h.success.PlannedAt)) {
			h.success = r
		}
	}
	var refusedAt time.Time
	for _, r := range newestFirst {
		at := r.failedAt()
		switch {
		case r.ProjectID != v.ProjectID || r.AvailableAt != nil || !r.failedAttempt():
		case h.success != nil && !at.After(*h.success.AvailableAt):
		case r.Reason == VolumeStatus:
			refusedAt = newer(refusedAt, at)
		default:
			h.failures++
			if at.After(h.failedAt) {
				h.overfull = r.Reason == QuotaExceeded
			}
			if r.Kind == Incremental && r.Reason == BackupError {
				h.broken++
			}
			h.failedAt = newer(h.failedAt, at)
		}
	}
	h.refused = !refusedAt.IsZero() && !refusedAt.Before(h.failedAt)
	return h
}

// again is when a failure is tried again: after the usual delay. A full quota
// is tried later, or at once where a removal has freed some of it since.
func (h history) again(p Policy, freed *time.Time) time.Time {
	delay := p.retryDelay(h.failures)
	switch {
	case h.overfull && freed != nil && freed.After(h.failedAt):
		return time.Time{}
	case h.overfull:
		delay = max(delay, QuotaPause)
	}
	return Grid(h.failedAt, p.Period).Add(delay)
}

func newer(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// failedAttempt tells whether r ended without a restore point, whatever became
// of its leftover since.
func (r Record) failedAttempt() bool {
	return r.State == Failed || r.State == Deleted || r.State.Removing()
}

// failedAt is when the attempt ended. ChangedAt is later where a leftover was
// removed since, and moves every day while that is tried in vain.
func (r Record) failedAt() time.Time {
	if r.EndedAt != nil {
		return *r.EndedAt
	}
	return r.ChangedAt
}

// brokenAtMost is how many incrementals in a row may end in error before a full is made instead.
const brokenAtMost = 2

// kind picks full or incremental. Every way to a full that the depth did not
// ask for is out of turn: fulls are expensive, and an outage that breaks many
// chains must not become a storm of them.
func (h history) kind(p Policy, v Volume, beat, due time.Time) Decision {
	full := func(r Reason) Decision {
		outOfTurn := r != FirstBackup && r != EveryFull && r != ChainComplete
		return Decision{Action: Create, Kind: Full, Reason: r, ForcedFull: outOfTurn}
	}
	if p.Depth <= 0 {
		return full(EveryFull)
	}
	if h.success == nil && !slices.ContainsFunc(h.links, func(l Link) bool { return l.Status == StatusAvailable }) {
		return full(FirstBackup)
	}
	// What an incremental would stand on once the newest links that are on
	// their way out are gone. Where that can't carry one, nothing is waited for.
	links := slices.SortedFunc(slices.Values(h.links), earlier)
	var chain Chain
	chains, open := grown(withoutLeaving(links))
	if i, ok := open[v.ProjectID]; ok {
		chain = chains[i]
	}
	switch {
	case chain != nil && chain.usable() > p.Depth: // the full and all its incrementals
		return full(ChainComplete) // in turn
	case h.broken >= brokenAtMost:
		return full(IncrementalsFail)
	case chain == nil || chain.usable() < len(chain):
		return full(NoUsableParent)
	case chain[0].SizeGiB != v.SizeGiB:
		return full(SizeChanged)
	}

	patient := beat.Before(due.Add(p.maxRetryDelay()))
	again := beat.Add(p.Period)
	newest := links[len(links)-1].Status
	busy := newest == StatusRestoring || newest == StatusDeleting
	switch {
	case newest == StatusError && patient:
		return Decision{Action: Wait, Reason: WaitsForLeftover, At: again}
	case newest == StatusError:
		return full(LeftoverStays)
	case busy && patient:
		return Decision{Action: Wait, Reason: WaitsForParent, At: again}
	case busy:
		return full(ParentStaysBusy)
	}
	return Decision{Action: Create, Kind: Incremental, Reason: ChainContinues}
}

// withoutLeaving cuts off the newest links that are on their way out of
// Cinder: failed leftovers, and what is being removed.
func withoutLeaving(links []Link) []Link {
	n := len(links)
	for n > 0 && (links[n-1].Status == StatusError || links[n-1].Status == StatusDeleting) {
		n--
	}
	return links[:n]
}
