package backup

import (
	"cmp"
	"slices"
	"time"
)

// An Action is what a decision requests.
type Action string

// The actions.
const (
	Wait     Action = "wait"     // nothing now
	Create   Action = "create"   // plan a backup
	Fail     Action = "fail"     // record that no backup can be made now
	Withdraw Action = "withdraw" // end the planned record
)

// A Decision is the action for one volume now, with its reason.
type Decision struct {
	Action     Action
	Kind       Kind // set with Create
	Reason     Reason
	ForcedFull bool      // a full that the depth did not ask for
	At         time.Time // when time alone may change the decision; zero if it can't
}

// A Subject is the volume that a decision is about.
type Subject struct {
	Volume
	Protected bool
	Gone      bool // 404 by ID: for a plan with verified admin rights, for a worker with a token of the record's project
	// ProjectGone reports that Keystone no longer knows the volume's project: no token of it can be issued.
	ProjectGone bool
	Paused      bool // the operator paused it: nothing new starts
	Manual      bool // the operator requested a backup now: interval and retry delay do not apply
	// QuotaFreed is when one of our backups in the volume's project was last removed, or when a plan found free quota; nil if not
	// within [QuotaPause].
	QuotaFreed *time.Time
}

// Freed returns s with the time at which quota was last freed in its project; by has these times by project.
func (s Subject) Freed(by map[string]time.Time) Subject {
	if at, ok := by[s.ProjectID]; ok {
		s.QuotaFreed = &at
	}
	return s
}

// Next decides what to do for one volume now. Records are those of the volume, in any order: all in progress, the
// newest chain (including links that are being removed or could not be removed), the newest success, and the failures
// since. Records of projects that owned the volume before are ignored.
func Next(now time.Time, p Policy, s Subject, records []Record) Decision {
	run := Grid(now, p.Period)
	h := newHistory(s.Volume, records)

	// 1. What must not continue.
	if reason, ends := unwanted(s, h); ends {
		if h.inProgress != nil && h.inProgress.State == Planned {
			return Decision{Action: Withdraw, Reason: reason}
		}
		return Decision{Action: Wait, Reason: reason}
	}
	if h.inProgress != nil {
		return Decision{Action: Wait, Reason: BackupInProgress}
	}

	if s.Paused {
		return Decision{Action: Wait, Reason: Paused}
	}

	// 2. Is a backup due? Ages count from run to run of the grid, so that jitter never skips a backup.
	due := run
	if h.success != nil {
		due = Grid(h.success.PlannedAt, p.Period).Add(p.Interval)
		if p.Interval > 0 && run.Before(due) && !s.Manual {
			return Decision{Action: Wait, Reason: BackupIsFresh, At: due}
		}
	}

	// 3. Would Cinder accept a backup? A volume that is changing waits. Any other status is recorded once, for the
	// report, however long it lasts.
	switch {
	case s.changing():
		return Decision{Action: Wait, Reason: VolumeChanging}
	case !s.CanBeBackedUp() && h.refused && !s.Manual:
		return Decision{Action: Wait, Reason: s.statusReason()}
	case !s.CanBeBackedUp():
		return Decision{Action: Fail, Reason: s.statusReason()}
	}

	// 4. After a failure, the next attempt waits for the retry delay.
	if again := h.retryAt(p, s.QuotaFreed); h.failures > 0 && run.Before(again) && !s.Manual {
		return Decision{Action: Wait, Reason: RetryLater, At: again}
	}

	// 5. Full or incremental.
	return h.kind(p, s.Volume, run, due)
}

func unwanted(s Subject, h history) (Reason, bool) {
	switch {
	case s.Gone:
		return VolumeGone, true
	case !s.Protected:
		return NotProtected, true
	case s.ProjectGone:
		return ProjectGone, true
	case h.inProgress != nil && h.inProgress.ProjectID != s.ProjectID:
		return ProjectChanged, true
	}
	return "", false
}

// history is what the records of one volume show.
type history struct {
	inProgress         *Record
	success            *Record   // newest
	refused            bool      // the newest failure since the success is because of the volume's status
	failedAt           time.Time // newest other failure since the success
	failures           int       // number of those other failures
	quotaFull          bool      // the newest of those failures is an exceeded quota
	failedIncrementals int       // incrementals among those failures that Cinder accepted and that ended in error
	links              []Link
}

func newHistory(v Volume, records []Record) history {
	var h history
	newestFirst := make([]*Record, len(records))
	for i := range records {
		newestFirst[i] = &records[i]
	}
	slices.SortFunc(newestFirst, func(a, b *Record) int {
		return cmp.Or(b.HappenedAt().Compare(a.HappenedAt()), cmp.Compare(b.ID, a.ID))
	})
	for _, r := range newestFirst {
		if r.State.InProgress() {
			h.inProgress = r
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
		case r.ProjectID != v.ProjectID || !r.FailedAttempt():
		case h.success != nil && !at.After(*h.success.AvailableAt):
		case r.Reason.OfStatus():
			refusedAt = newer(refusedAt, at)
		default:
			h.failures++
			if at.After(h.failedAt) {
				h.quotaFull = r.Reason == QuotaExceeded
			}
			if r.Kind == Incremental && r.Reason == BackupError {
				h.failedIncrementals++
			}
			h.failedAt = newer(h.failedAt, at)
		}
	}
	h.refused = !refusedAt.IsZero() && !refusedAt.Before(h.failedAt)
	return h
}

// retryAt returns when to retry after a failure: after the usual delay. An exceeded quota is retried later, or at once
// if quota was freed since.
func (h history) retryAt(p Policy, freed *time.Time) time.Time {
	delay := p.retryDelay(h.failures)
	switch {
	case h.quotaFull && freed != nil && freed.After(h.failedAt):
		return time.Time{}
	case h.quotaFull:
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

// failedAt returns when the attempt ended. ChangedAt is later if a leftover was removed since, and changes every day
// while the removal fails.
func (r Record) failedAt() time.Time {
	if r.EndedAt != nil {
		return *r.EndedAt
	}
	return r.ChangedAt
}

// maxFailedIncrementals is how many incrementals in a row may end in error before a full is made instead.
const maxFailedIncrementals = 2

// kind chooses full or incremental. Every full that the depth did not ask for is a forced full, which has its own
// cap: fulls are expensive, and an outage that breaks many chains must not cause many fulls at once.
func (h history) kind(p Policy, v Volume, run, due time.Time) Decision {
	full := func(r Reason) Decision {
		forcedFull := r != FirstBackup && r != EveryFull && r != ChainComplete
		return Decision{Action: Create, Kind: Full, Reason: r, ForcedFull: forcedFull}
	}
	if p.Depth <= 0 {
		return full(EveryFull)
	}
	if h.success == nil && !slices.ContainsFunc(h.links, func(l Link) bool { return l.Status == StatusAvailable }) {
		return full(FirstBackup)
	}
	// The chain that an incremental would be added to once the newest links that are being removed are gone. If that
	// chain can't take an incremental, there is no reason to wait.
	links := slices.SortedFunc(slices.Values(h.links), earlier)
	var chain Chain
	chains, open := buildChains(withoutRemovals(links))
	if i, ok := open[v.ProjectID]; ok {
		chain = chains[i]
	}
	switch {
	case chain != nil && chain.usable() > p.Depth: // the full and all its incrementals
		return full(ChainComplete) // not a forced full
	case h.failedIncrementals >= maxFailedIncrementals:
		return full(IncrementalsFail)
	case chain == nil || chain.usable() < len(chain):
		return full(NoUsableParent)
	case chain[0].SizeGiB != v.SizeGiB:
		return full(SizeChanged)
	}

	withinDelay := run.Before(due.Add(p.maxRetryDelay()))
	again := run.Add(p.Period)
	newest := links[len(links)-1].Status
	inUse := newest == StatusRestoring || newest == StatusDeleting
	switch {
	case newest == StatusError && withinDelay:
		return Decision{Action: Wait, Reason: WaitsForLeftover, At: again}
	case newest == StatusError:
		return full(LeftoverNotRemoved)
	case inUse && withinDelay:
		return Decision{Action: Wait, Reason: WaitsForParent, At: again}
	case inUse:
		return full(ParentInUse)
	}
	return Decision{Action: Create, Kind: Incremental, Reason: ChainContinues}
}

// withoutRemovals cuts off the newest links that are leaving Cinder: failed leftovers, and backups being removed.
func withoutRemovals(links []Link) []Link {
	n := len(links)
	for n > 0 && (links[n-1].Status == StatusError || links[n-1].Status == StatusDeleting) {
		n--
	}
	return links[:n]
}
