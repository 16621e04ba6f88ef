package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Span is a time in which a volume was late, and what it suffered from since its newest restore point before.
type Span struct {
	Volume   string
	From, To time.Time
	Causes   []string
}

// Said is what the program tells of a volume.
type Said struct {
	Protection string
	Words      []string // reasons, with who must act
}

// Spans are all times in which a volume was late, those that last included.
func (o *Oracle) Spans() []Span {
	for _, id := range o.order {
		o.endLate(o.volumes[id])
	}
	return o.spans
}

func (o *Oracle) endLate(v *volume) {
	if !v.late.IsZero() {
		o.spans = append(o.spans, Span{v.name, v.late, o.now, slices.Clone(v.causes)})
		v.late = time.Time{}
	}
}

// Judge compares a moment with the promises: what Cinder has, and what the program says of each volume. It is called
// when the program has done what it can do now.
func (o *Oracle) Judge(said map[string]Said) {
	mute := o.hit(2*o.Period, func(t *Trouble) bool { return t.Stops.Tells })
	for _, id := range o.order {
		v := o.volumes[id]
		if !v.there || !v.protected {
			continue
		}
		o.judgeAge(v)
		if !mute {
			o.judgeSaid(v, said[id])
		}
	}
	for _, id := range o.order {
		for _, b := range o.ourOf(id, "") {
			o.judgeStay(b, mute, said[id])
		}
	}
}

func newest(points []*backup) (data time.Time) {
	if n := len(points); n > 0 {
		data = points[n-1].data
	}
	return data
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func or(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

// judgeAge asks whether the newest restore point is young enough, wherever that was possible.
func (o *Oracle) judgeAge(v *volume) {
	point := newest(o.points(v.id, v.project))
	if point.After(v.pointed) {
		o.endLate(v)
		v.pointed, v.causes = point, nil
	}
	from := point
	if v.since.After(from) {
		from = v.since
	}
	if o.now.Sub(from) <= o.late() {
		o.endLate(v)
		return
	}
	if v.late.IsZero() {
		v.late = from.Add(o.late())
	}
	if v.heldUp.After(from) {
		from = v.heldUp
	}
	if free := o.now.Sub(from); free > o.late() {
		o.violated("late"+v.id+point.String(), "RPO: the newest restore point of volume %s is of %s, and nothing keeps a backup from being made for %s",
			v.name, point.Format("01-02 15:04"), free)
	}
}

// judgeSaid asks whether a volume that is late is said to be so, with a reason, and no other one is.
func (o *Oracle) judgeSaid(v *volume, said Said) {
	data := newest(o.points(v.id, v.project))
	begins := or(data, v.first) // without a restore point, it is late when it is known as protected for as long
	late, stands := !begins.IsZero() && o.now.Sub(begins) > o.late(), said.Protection == "late"
	switch {
	case late && !stands && v.looks > 1 && !o.now.Before(v.grey):
		o.violated("silent"+v.id+data.String(), "silence: volume %s is late since %s, and is shown as %q", v.name, begins.Add(o.late()).Format("01-02 15:04"), said.Protection)
	case !late && said.Protection == "late" && !o.hit(o.Period, func(t *Trouble) bool { return t.strikes(v) }):
		o.violated("alarm"+v.id+data.String(), "false alarm: volume %s stands as late, and its newest restore point is of %s", v.name, data.Format("01-02 15:04"))
	}
	if !late || v.looks < 2 {
		return
	}
	if len(said.Words) == 0 {
		o.violated("reason"+v.id+data.String(), "no reason: volume %s is late, and nothing is said of why", v.name)
	}
	var names, words []string
	for _, t := range o.lasting(v, 3*o.Period) {
		names, words = append(names, t.Name), append(words, t.Told...)
	}
	told := slices.ContainsFunc(said.Words, func(w string) bool {
		return slices.ContainsFunc(words, func(told string) bool { return strings.Contains(w, told) })
	})
	if len(words) > 0 && !told {
		o.violated(fmt.Sprint("owner", v.id, names), "no reason: volume %s is late by %q, and what is said is %q, not one of %q", v.name, names, said.Words, words)
	}
}

// judgeStay asks whether a backup of ours should be gone by now.
func (o *Oracle) judgeStay(b *backup, mute bool, said Said) {
	v := o.volumes[b.volume]
	if !b.hangs.IsZero() { // for the operator to mend; who must be told so
		stuck := func(word string) bool { return strings.Contains(word, "deletion_stuck operator") }
		if !mute && later(b.hangs, b.heldUp).Add(2*o.Removal).Before(o.now) && !slices.ContainsFunc(said.Words, stuck) {
			o.violated("hangs"+b.id, "silence: the removal of a backup of volume %s can't end since %s, and what is said is %q", v.name, b.hangs.Format("01-02 15:04"), said.Words)
		}
		return
	}
	over := b.changed // a leftover goes at once
	if b.state == "available" {
		if o.kept(v, b) {
			b.heldUp = o.now
			return
		}
		over = b.data.Add(o.mayKeep(v))
	}
	for _, link := range o.above(b) { // by their dates, which is all that Cinder tells of chains
		if end := link.data.Add(o.mayKeep(v)); end.After(over) {
			over = end
		}
	}
	for queue := o.children(b); len(queue) > 0; queue = append(queue[1:], o.children(queue[0])...) {
		child := queue[0]
		if !child.ours {
			return // somebody else's builds on it
		}
		if end := child.data.Add(o.mayKeep(v)); end.After(over) {
			over = end
		}
	}
	if v.lastSeen.After(over) && b.project == v.project && !v.protected {
		over = v.lastSeen // until then the floor may have kept it
	}
	if b.heldUp.After(over) {
		over = b.heldUp
	}
	if o.now.Sub(over) > o.Removal && b.state != "creating" {
		o.violated("stays"+b.id, "stays: backup of volume %s of %s is %s, and should be gone since %s (%s)",
			v.name, b.data.Format("01-02 15:04"), b.state, over.Format("01-02 15:04"), history(o.ourOf(v.id, "")))
	}
}

// kept tells whether a backup is under the floor of its volume: one of the newest restore points, or below one.
func (o *Oracle) kept(v *volume, b *backup) bool {
	points := o.points(v.id, v.project)
	if !v.there || !v.protected || b.project != v.project {
		return false
	}
	above := o.above(b)
	for _, p := range points[max(0, len(points)-o.Floor):] {
		if slices.Contains(above, p) {
			return true
		}
		for ; p != nil; p = o.copies[p.parent] {
			if p == b {
				return true
			}
		}
	}
	return false
}
