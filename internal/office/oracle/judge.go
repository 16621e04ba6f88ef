package oracle

import (
	"slices"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// planView is how old the newest look at a volume may be when its backup is asked for, with the time of a handler.
const planView = 5*time.Minute + 105*time.Second

// judgeRequest judges a creation of ours that Cinder accepted.
func (o *Oracle) judgeRequest(e cloudsim.Event, v *volume, b *backup) {
	if b.project != v.project && e.At.Sub(v.transferred) > planView {
		o.violated("project"+b.id, "wrong project: backup of volume %s was made in project %s, and the volume is project %s's since %s",
			v.name, b.project, v.project, v.transferred.Format("01-02 15:04"))
	}
	if e.Token != e.Project {
		o.violated("token"+b.id, "wrong token: backup of volume %s was asked for with a token of project %s", v.name, e.Token)
	}
	if !v.protected && v.blind > 1 {
		o.violated("unasked"+b.id, "unasked: a backup of volume %s was made, and nobody asks for it since %s", v.name, v.unprotected.Format("01-02 15:04"))
	}
	mine := o.ourOf(v.id, b.project)
	for _, other := range mine {
		switch {
		case other.state == "creating":
			o.violated("twice"+b.id, "twice at once: volume %s has two backups in progress", v.name)
		case other.state == "available" && b.data.Sub(other.data) < o.Interval/2 && v.shaken.Before(other.data) && o.now.Sub(v.heldUp) > 2*o.Interval:
			o.violated("often"+b.id, "too often: volume %s is backed up %s after its last backup", v.name, b.data.Sub(other.data))
		}
	}
	o.judgeKind(v, b, mine)
}

// judgeKind asks whether a backup is full where it must be, and incremental where it can be.
func (o *Oracle) judgeKind(v *volume, b *backup, mine []*backup) {
	var full *backup
	links := 0
	for _, other := range mine {
		switch {
		case other.state != "available":
		case other.parent == "":
			full, links = other, 0
		default:
			links++
		}
	}
	why := ""
	switch {
	case full == nil:
		why = "there is no full of ours"
	case links >= o.Depth:
		why = "the chain has all its incrementals"
	case full.size != v.size:
		why = "the volume's size changed since the chain began"
	}
	switch {
	case b.parent != "" && why != "" && !o.now.Before(v.grey):
		o.violated("kind"+b.id, "wrong kind: volume %s got an incremental, and %s (%s)", v.name, why, history(mine))
	case b.parent == "" && why == "" && v.shaken.Before(full.data):
		o.violated("kind"+b.id, "wrong kind: volume %s got a full, and nothing kept its chain from going on (%s)", v.name, history(mine))
	}
}

// history tells backups for people, oldest first.
func history(all []*backup) string {
	var words []string
	for _, b := range all {
		kind := "full"
		if b.parent != "" {
			kind = "incremental"
		}
		words = append(words, b.data.Format("01-02 15:04")+" "+kind+" "+b.state)
	}
	return strings.Join(words, ", ")
}

// judgeRemoval judges a deletion of ours that Cinder accepted.
func (o *Oracle) judgeRemoval(e cloudsim.Event, v *volume, b *backup) {
	if e.Token != b.project {
		o.violated("token-"+b.id, "wrong token: a removal in project %s was asked for with a token of project %s", b.project, e.Token)
	}
	if b.state != "available" {
		return
	}
	keeps := o.keeps(v)
	if b.project != v.project {
		keeps = v.former
	}
	if until := b.data.Add(keeps); e.At.Before(until) {
		o.violated("early"+b.id, "removed too early: backup of volume %s of %s, to be kept for %s until %s",
			v.name, b.data.Format("01-02 15:04"), keeps, until.Format("01-02 15:04"))
	}
	if !v.protected || v.looks < 1 || b.project != v.project {
		return
	}
	points := o.points(v.id, b.project)
	if slices.Contains(points[max(0, len(points)-o.Floor):], b) {
		o.violated("floor"+b.id, "floor: one of the newest %d restore points of protected volume %s was removed, of %s", o.Floor, v.name, b.data.Format("01-02 15:04"))
	}
}
