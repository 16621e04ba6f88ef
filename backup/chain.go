package backup

import (
	"cmp"
	"slices"
	"time"
)

// A Link is one backup of a volume among the others: what Cinder says of it,
// and what our record adds.
type Link struct {
	BackupID    string
	RecordID    string // empty: foreign
	ProjectID   string
	Kind        Kind
	Status      Status
	SizeGiB     int
	DataTime    time.Time // of its data, within the bounds of our own times: by it a link ages
	OrderTime   time.Time // of its data as Cinder has it, which decides what stands on what; zero: the same
	CreatedTime time.Time // Cinder's; breaks ties
	Retention   Period    // in force for this link; empty: not known, it stays
	Depended    bool      // Cinder says that others build on it
	Held        bool      // what is not ours built on it when its removal was due last; of records only: what Cinder has shows it
}

// Foreign tells whether this installation did not make l.
func (l Link) Foreign() bool { return l.RecordID == "" }

// A Chain is a full and the incrementals on it, in data timestamp order, of
// one volume in one owning project. Where the full is gone its incrementals
// form a chain without one.
type Chain []Link

// order is where l stands among the others by Cinder's clock.
func (l Link) order() time.Time {
	if l.OrderTime.IsZero() {
		return l.DataTime
	}
	return l.OrderTime
}

// usable tells whether l itself could be restored, or restored from, now.
func (l Link) usable() bool { return l.Status == StatusAvailable || l.Status == StatusRestoring }

// Without returns the links as they are once that one is gone: what stood
// below it in its chain carries it no more.
func Without(links []Link, gone Link) []Link {
	below := ""
	for _, c := range Chains(links) {
		if i := slices.IndexFunc(c, func(l Link) bool { return l.BackupID == gone.BackupID }); i > 0 {
			below = c[i-1].BackupID
		}
	}
	var left []Link
	for _, l := range links {
		if l.BackupID != gone.BackupID {
			l.Depended = l.Depended && l.BackupID != below
			left = append(left, l)
		}
	}
	return left
}

// earlier orders links by when they were made. Cinder's times have whole
// seconds, so ties happen; the ID makes the order the same at every look.
func earlier(a, b Link) int {
	return cmp.Or(a.DataTime.Compare(b.DataTime), a.order().Compare(b.order()), a.CreatedTime.Compare(b.CreatedTime), cmp.Compare(a.BackupID, b.BackupID))
}

// failedFull tells whether l is what is left of a failed full: nothing was
// ever built on it.
func (l Link) failedFull() bool { return l.Kind == Full && l.Status == StatusError }

// Chains orders the links of one volume into chains, oldest first. Cinder
// names no parent: it takes the newest backup by its data timestamp of the
// volume in the token's project, whoever made it (since 2023.1 the newest one
// that is available), and refuses one that is not available. So the order
// tells, and a full that failed carries nothing. Where Cinder's clock ran ahead
// for a while, the newest by its timestamp is not the one that was made last.
//
// A chain that forked, as it can since 2023.1, is read as if each link stood on
// the one before: that removes a branch late, never too early.
func Chains(links []Link) []Chain {
	chains, _ := grown(links)
	return chains
}

// grown returns the chains, and for each project the one that Cinder would put
// an incremental on.
func grown(links []Link) (chains []Chain, open map[string]int) {
	links = slices.Clone(links)
	slices.SortFunc(links, earlier)
	open = map[string]int{}
	top := map[string]time.Time{}
	for _, l := range links {
		i, growing := open[l.ProjectID]
		switch {
		case l.failedFull():
			chains = append(chains, Chain{l})
			continue
		case l.Kind == Incremental && growing:
			chains[i] = append(chains[i], l)
		default:
			i = len(chains)
			chains = append(chains, Chain{l})
		}
		if !growing || !l.order().Before(top[l.ProjectID]) {
			open[l.ProjectID], top[l.ProjectID] = i, l.order()
		}
	}
	return chains, open
}

// usable returns how many links from the chain's beginning could be restored
// now: a full, then incrementals without a gap.
func (c Chain) usable() int {
	if len(c) == 0 || c[0].Kind != Full {
		return 0
	}
	n := 0
	for n < len(c) && c[n].usable() {
		n++
	}
	return n
}

// Restorable returns the restore points among links, oldest first: those that
// could be restored now, with all that they stand on.
func Restorable(links []Link) []Link { return restorable(Chains(links)) }

func restorable(chains []Chain) []Link {
	var points []Link
	for _, c := range chains {
		points = append(points, c[:c.usable()]...)
	}
	slices.SortFunc(points, earlier)
	return points
}

// Link shows r as a link that is kept as long as [Retention.For] says. It is what the
// record knows, not what Cinder has; ok is false where Cinder holds nothing.
func (r Record) Link(inForce Retention) (l Link, ok bool) {
	l, ok = r.link()
	l.Retention = inForce.For(r)
	return l, ok
}

// LinkOf shows b, as Cinder has it, as a link; r is its record, nil for a
// foreign one. The time of its data is the record's, also where it never became
// a restore point: Cinder's clock may be wrong. An error on what was a restore
// point is nobody's leftover: it stays, with a status of its own, until somebody
// looks.
func LinkOf(b Backup, r *Record, inForce Retention) Link {
	l := Link{
		BackupID: b.ID, ProjectID: b.ProjectID, Kind: Full, Status: b.Status, SizeGiB: b.SizeGiB,
		DataTime: b.DataTimestamp, OrderTime: b.DataTimestamp, CreatedTime: b.CreatedAt, Depended: b.HasDependents,
	}
	if b.Incremental {
		l.Kind = Incremental
	}
	if r == nil {
		return l
	}
	l.RecordID, l.Retention = r.ID, inForce.For(*r)
	switch {
	case r.DataTimestamp != nil:
		l.DataTime = *r.DataTimestamp
	case !r.bounds(b.DataTimestamp):
		l.DataTime = r.dated()
	}
	switch {
	case r.State.InProgress():
		l.Status = StatusCreating
	case r.Reason == Cancelled && r.AvailableAt == nil && b.Status == StatusAvailable:
		// Nobody wants it, though Cinder made it after all; also while its
		// removal, which may never have reached Cinder, is being asked for.
		l.Status = StatusError
	case b.Status == StatusError && r.AvailableAt != nil && !r.State.Removing():
		l.Status = StatusSpoilt
	}
	return l
}

// StatusSpoilt stands for an error on a backup that was available before.
const StatusSpoilt Status = "spoilt"

// link shows r as a link, as far as the record knows; ok is false for records
// that Cinder holds nothing of.
func (r Record) link() (l Link, ok bool) {
	l = Link{
		BackupID: r.BackupID, RecordID: r.ID, ProjectID: r.ProjectID, Kind: r.Kind,
		SizeGiB: r.SizeGiB, DataTime: r.dated(), CreatedTime: r.dated(), Retention: r.Retention,
	}
	if r.CinderTimestamp != nil {
		l.OrderTime = *r.CinderTimestamp
	}
	switch r.State {
	case Available:
		switch l.Status = StatusAvailable; Status(r.CinderStatus) { //nolint:exhaustive // the others pass
		case StatusRestoring:
			l.Status = StatusRestoring
		case StatusError:
			l.Status = StatusSpoilt
		}
	case Deleting:
		l.Status = StatusDeleting
	case Undeletable:
		l.Status = StatusErrorDeleting
	case Failed:
		l.Status = StatusError
	case Lost:
		// Its place in the chain is empty, but it stays a place: what stands
		// above it can't be restored.
		l.Status = StatusErrorDeleting
	case Creating, Overdue:
		l.Status = StatusCreating
	case Planned, Deleted, Withdrawn:
		return l, false
	}
	return l, r.BackupID != ""
}
