package backup

import (
	"cmp"
	"slices"
	"time"
)

// A Link is one backup of a volume in its chain: Cinder's data, and what our record adds.
type Link struct {
	BackupID    string
	Name        string // in Cinder
	RecordID    string // empty if foreign
	ProjectID   string
	Kind        Kind
	Status      Status
	SizeGiB     int
	DataTime    time.Time // time of its data, within the bounds of our own times; its age is counted from here
	OrderTime   time.Time // data timestamp in Cinder, which decides what depends on what; zero means DataTime
	CreatedTime time.Time // in Cinder; breaks ties
	SinceTime   time.Time // of a leftover: when it ended; of a backup being removed: when that was requested; zero: not known
	Retention   Period    // in force for this link; empty if unknown: the link is retained
	Depended    bool      // Cinder reports that other backups depend on it
	Gone        Reason    // why a link in [StatusLost] is gone
	Held        Reason    // why its removal is refused, one of [ForeignHolds]; only set for links from records
}

// Foreign reports whether another installation, or a tenant, made l.
func (l Link) Foreign() bool { return l.RecordID == "" }

// A Chain is a full and its incrementals of one volume in one owning project, in order of their data timestamps. If
// the full is gone, its incrementals form a chain without one.
type Chain []Link

// order returns the time that orders l among the others by Cinder's clock.
func (l Link) order() time.Time {
	if l.OrderTime.IsZero() {
		return l.DataTime
	}
	return l.OrderTime
}

// usable reports whether l itself could be restored now, or is being restored.
func (l Link) usable() bool { return l.Status == StatusAvailable || l.Status == StatusRestoring }

// Without returns the links as they are after one is removed: the link before it in its chain has no dependent any
// more.
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

// earlier orders links by when they were made. Cinder's times are whole seconds, so ties happen; the ID makes the
// order deterministic.
func earlier(a, b Link) int {
	return cmp.Or(a.DataTime.Compare(b.DataTime), a.order().Compare(b.order()), a.CreatedTime.Compare(b.CreatedTime), cmp.Compare(a.BackupID, b.BackupID))
}

// failedFull reports whether l is the leftover of a failed full: no incremental was ever built on it.
func (l Link) failedFull() bool { return l.Kind == Full && l.Status == StatusError }

// Chains groups the links of one volume into chains, oldest first. Cinder reports no parent. It uses the volume's
// newest backup by data timestamp in the token's project, made by anyone (since 2023.1: the newest available one),
// and refuses a parent that is not available. So the order shows the parent, and a failed full has no incrementals.
// If Cinder's clock ran ahead for a while, the newest backup by timestamp is not the one that was made last.
//
// A forked chain, possible since 2023.1, is read as if each link depended on the one before: a branch may be removed
// late, never too early.
func Chains(links []Link) []Chain {
	chains, _ := buildChains(links)
	return chains
}

// buildChains returns the chains, and for each project the index of the chain that Cinder would add an incremental to.
func buildChains(links []Link) (chains []Chain, open map[string]int) {
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

// usable returns how many links from the chain's start could be restored now: a full, then incrementals without a
// gap.
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

// Restorable returns the restore points among links, oldest first: those that could be restored now, with everything
// they depend on.
func Restorable(links []Link) []Link { return restorable(Chains(links)) }

func restorable(chains []Chain) []Link {
	var points []Link
	for _, c := range chains {
		points = append(points, c[:c.usable()]...)
	}
	slices.SortFunc(points, earlier)
	return points
}

// Link returns r as a link with the retention of [Retention.For]. It reflects what the record knows, not what Cinder
// has; ok is false if Cinder has no backup for it.
func (r Record) Link(inForce Retention) (l Link, ok bool) {
	l, ok = r.link()
	l.Retention = inForce.For(r)
	return l, ok
}

// LinkOf returns Cinder's backup b as a link; r is its record, nil for a foreign backup. The data time is the
// record's, even if the backup never became a restore point, because Cinder's clock may be wrong. A former restore
// point in status error is not a leftover: it gets [StatusSpoilt] and is retained until an operator checks it.
func LinkOf(b Backup, r *Record, inForce Retention) Link {
	l := Link{
		BackupID: b.ID, Name: b.Name, ProjectID: b.ProjectID, Kind: Full, Status: b.Status, SizeGiB: b.SizeGiB,
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
	case !r.withinBounds(b.DataTimestamp):
		l.DataTime = r.HappenedAt()
	}
	switch {
	case r.State.InProgress():
		l.Status = StatusCreating
	case r.Reason == Cancelled && r.AvailableAt == nil && b.Status == StatusAvailable:
		// The record was cancelled, but Cinder made the backup. It is a leftover, also while its deletion is
		// requested, because that request may never have reached Cinder.
		l.Status = StatusError
	case b.Status == StatusError && r.AvailableAt != nil && !r.State.Removing():
		l.Status = StatusSpoilt
	}
	return l
}

// Statuses of links that Cinder does not know.
const (
	StatusSpoilt Status = "spoilt" // in error, but was available before
	StatusLost   Status = "lost"   // gone from Cinder, not because of us; it keeps its position: the links after it can't be restored
)

// link returns r as a link, as far as the record knows; ok is false for records without a backup in Cinder.
func (r Record) link() (l Link, ok bool) {
	l = Link{
		BackupID: r.BackupID, Name: r.BackupName, RecordID: r.ID, ProjectID: r.ProjectID, Kind: r.Kind,
		SizeGiB: r.SizeGiB, DataTime: r.HappenedAt(), CreatedTime: r.HappenedAt(), Retention: r.Retention,
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
		if r.DeletionRequestedAt != nil {
			l.SinceTime = *r.DeletionRequestedAt
		}
	case Undeletable:
		l.Status = StatusErrorDeleting
	case Failed:
		l.Status = StatusError
		if r.EndedAt != nil {
			l.SinceTime = *r.EndedAt
		}
	case Lost:
		l.Status, l.Gone = StatusLost, r.Reason
	case Creating, Overdue:
		l.Status = StatusCreating
	case Planned, Deleted, Withdrawn:
		return l, false
	}
	return l, r.BackupID != ""
}
