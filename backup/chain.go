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
	DataTime    time.Time // Cinder's data timestamp
	CreatedTime time.Time // Cinder's; breaks ties
	Retention   Period    // in force for this link; empty: not known, it stays
}

// Foreign tells whether this installation did not make l.
func (l Link) Foreign() bool { return l.RecordID == "" }

// A Chain is a full and the incrementals on it, in data timestamp order, of
// one volume in one owning project. Where the full is gone its incrementals
// form a chain without one.
type Chain []Link

// older orders links by the time of their data. Cinder's times have whole
// seconds, so ties happen; the ID makes the order the same at every look.
func older(a, b Link) int {
	return cmp.Or(a.DataTime.Compare(b.DataTime), a.CreatedTime.Compare(b.CreatedTime), cmp.Compare(a.BackupID, b.BackupID))
}

// failedFull tells whether l is what is left of a failed full: nothing was
// ever built on it.
func (l Link) failedFull() bool { return l.Kind == Full && l.Status == StatusError }

// Chains orders the links of one volume into chains, oldest first. Cinder
// names no parent: it takes the newest backup by data timestamp of the volume
// in the token's project, whoever made it, and refuses one that is not
// available. So the order tells, and a full that failed carries nothing.
func Chains(links []Link) []Chain {
	links = slices.Clone(links)
	slices.SortFunc(links, older)
	var chains []Chain
	open := map[string]int{} // project -> its chain that grows
	for _, l := range links {
		i, growing := open[l.ProjectID]
		switch {
		case l.Kind == Incremental && growing:
			chains[i] = append(chains[i], l)
		case l.failedFull():
			chains = append(chains, Chain{l})
		default:
			open[l.ProjectID] = len(chains)
			chains = append(chains, Chain{l})
		}
	}
	return chains
}

// usable returns how many links from the chain's beginning could be restored
// now: a full, then incrementals without a gap.
func (c Chain) usable() int {
	if len(c) == 0 || c[0].Kind != Full {
		return 0
	}
	n := 0
	for n < len(c) && (c[n].Status == StatusAvailable || c[n].Status == StatusRestoring) {
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
	slices.SortFunc(points, older)
	return points
}

// Link shows r as a link that is kept as long as the volume's retention in
// force says, or as the record's own where the volume has none. It is what the
// record knows, not what Cinder has; ok is false where Cinder holds nothing.
func (r Record) Link(inForce Retention) (l Link, ok bool) {
	l, ok = r.link()
	if !inForce.InForce.IsZero() {
		l.Retention = inForce.InForce
	}
	return l, ok
}

// LinkOf shows b, as Cinder has it, as a link; r is its record, nil for a
// foreign one. An error on what was a restore point is nobody's leftover: it
// stays, with a status of its own, until somebody looks.
func LinkOf(b Backup, r *Record, inForce Retention) Link {
	l := Link{
		BackupID: b.ID, ProjectID: b.ProjectID, Kind: Full, Status: b.Status, SizeGiB: b.SizeGiB,
		DataTime: b.DataTimestamp, CreatedTime: b.CreatedAt, Retention: inForce.InForce,
	}
	if b.Incremental {
		l.Kind = Incremental
	}
	if r == nil {
		return l
	}
	l.RecordID = r.ID
	if l.Retention.IsZero() {
		l.Retention = r.Retention
	}
	switch {
	case r.State.InProgress():
		l.Status = StatusCreating
	case r.Reason == Cancelled && r.AvailableAt == nil && b.Status == StatusAvailable:
		// Nobody wants it, though Cinder made it after all; also while its
		// removal, which may never have reached Cinder, is being asked for.
		l.Status = StatusError
	case b.Status == StatusError && r.AvailableAt != nil && r.State != Deleting && r.State != Undeletable:
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
	switch r.State {
	case Available:
		l.Status = StatusAvailable
		if Status(r.CinderStatus) == StatusRestoring {
			l.Status = StatusRestoring
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
