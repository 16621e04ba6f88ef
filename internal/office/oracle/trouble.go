package oracle

import (
	"slices"
	"time"
)

// Stops says what can't be done while a trouble lasts.
type Stops struct {
	Looks   bool // nobody can look what tenants ask for
	Makes   bool // no backup can be made
	Removes bool // none can be removed
	Tells   bool // nobody can be told anything
}

// A Trouble is something that keeps the program from its work through no fault of its own.
type Trouble struct {
	Name      string
	Scope     string // a project or a volume; empty: the whole cloud
	Encrypted bool   // only encrypted volumes suffer
	Stops     Stops
	// Told are the words of which one at least must be said of a volume that is late by it.
	Told []string

	from, to time.Time // to is zero while it lasts
}

// Begin notes the beginning of a trouble; the function that it returns notes its end.
func (o *Oracle) Begin(t Trouble) (end func()) {
	t.from = o.now
	trouble := &t
	o.troubles = append(o.troubles, trouble)
	o.suffer()
	return func() {
		o.suffer()
		trouble.to = o.now
	}
}

func (t *Trouble) strikes(v *volume) bool {
	return (t.Scope == "" || t.Scope == v.project || t.Scope == v.id) && (!t.Encrypted || v.encrypted)
}

// hit tells whether a trouble lasts, or lasted until less than the given time ago.
func (o *Oracle) hit(within time.Duration, is func(*Trouble) bool) bool {
	return slices.ContainsFunc(o.troubles, func(t *Trouble) bool {
		return (t.to.IsZero() || o.now.Sub(t.to) < within) && is(t)
	})
}

// Stuck tells whether nothing at all can go on at this moment.
func (o *Oracle) Stuck() bool {
	return o.hit(time.Second, func(t *Trouble) bool {
		return t.to.IsZero() && t.Scope == "" && !t.Encrypted && t.Stops.Makes && t.Stops.Removes
	})
}

// lasting are the troubles of a volume that keep backups from being made and have lasted for some time.
func (o *Oracle) lasting(v *volume, since time.Duration) (all []*Trouble) {
	for _, t := range o.troubles {
		if t.Stops.Makes && t.to.IsZero() && t.strikes(v) && o.now.Sub(t.from) >= since {
			all = append(all, t)
		}
	}
	return all
}

// suffer notes for each volume that no backup of it can be made at this moment, and why.
func (o *Oracle) suffer() {
	for _, id := range o.order {
		v := o.volumes[id]
		for _, t := range o.lasting(v, 0) {
			v.hindered(o.now, t.Name)
		}
		if v.there && !v.ready() {
			v.hindered(o.now, "volume is "+v.status)
		}
	}
	for _, id := range o.order {
		v := o.volumes[id]
		for _, b := range v.held {
			if b.ours && o.hit(time.Second, func(t *Trouble) bool { return t.Stops.Removes && t.keeps(b, v) }) {
				b.heldUp = o.now
			}
		}
	}
}

func (t *Trouble) keeps(b *backup, v *volume) bool {
	return (t.Scope == "" || t.Scope == b.project || t.Scope == b.volume) && (!t.Encrypted || v.encrypted)
}
