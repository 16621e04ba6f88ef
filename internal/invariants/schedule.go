package invariants

import (
	"strings"
	"time"
)

// wanted checks that a tenant wants the volume of our creation protected, or did until a moment ago.
func (c *checker) wanted(e Event) {
	if c.Wishes == nil {
		return
	}
	for _, w := range c.wishes[e.Volume] {
		if !w.From.After(e.At) && (w.Over.IsZero() || e.At.Before(w.Over)) {
			return
		}
	}
	c.violated(Unwanted, e, "asked for, and nobody wants the volume protected")
}

// scheduled checks the time and the kind of our creation against the backups that the volume already has.
func (c *checker) scheduled(e Event) {
	if c.Schedule == nil {
		return
	}
	var full *trackedBackup
	links := 0
	var all []string
	made := e.At.Truncate(time.Second)
	for _, b := range c.ours(e.Volume, e.Project) {
		all = append(all, b.data().Format("01-02 15:04")+" "+string(b.state))
		if b.state != Available {
			continue
		}
		if b.parent == "" {
			full, links = b, 0
		} else {
			links++
		}
		if age := made.Sub(b.data()); age < c.Schedule.Interval/2 && !c.disturbed(e.Volume, b.data()) && !c.hindered(func(h Hindrance) bool {
			return h.Makes && h.concerns(e.Volume, e.Project) && h.within(e.At, 2*c.Schedule.Interval)
		}) {
			c.violated(TooOften, e, "asked for %s after backup %s", age, b.id())
		}
	}
	why := ""
	switch {
	case full == nil:
		why = "there is no full of ours"
	case links >= c.Schedule.Depth:
		why = "the chain has all its incrementals"
	case c.resized[e.Volume].After(full.requested.At):
		why = "the volume's size changed since the chain began"
	}
	history := strings.Join(all, ", ")
	switch {
	case e.Parent != "" && why != "" && !e.At.Before(c.uncertain[e.Volume]):
		c.violated(WrongKind, e, "an incremental, and %s (%s)", why, history)
	case e.Parent == "" && why == "" && !c.disturbed(e.Volume, full.data()):
		c.violated(WrongKind, e, "a full, and nothing ended its chain (%s)", history)
	}
}

// missed checks whether a protected volume got a restore point in time whenever that was possible.
func (c *checker) missed(volume string, now time.Time) {
	if c.Schedule == nil {
		return
	}
	wishes := c.wishes[volume]
	for i := c.judged[volume]; i < len(wishes); i++ {
		w, to := wishes[i], now
		if !w.To.IsZero() && w.To.Before(now) {
			to = w.To
			c.judged[volume] = i + 1 // later its restore points expire
		}
		newest := c.newest(volume, w.Project)
		from := latest(latest(newest, w.From), c.removedByOthers[volume])
		if to.Sub(from) <= c.Limits.Late || c.longestFree(from, to, func(h Hindrance) bool { return h.Makes && h.concerns(volume, w.Project) }) <= c.Limits.Late {
			continue
		}
		c.once("missed "+volume+newest.String()+w.From.String(), Violation{
			Invariant: MissedBackup, At: to, Project: w.Project, Volume: volume,
			Text: "nothing kept a backup from being made for " + c.Limits.Late.String() + ", and the newest restore point is of " + newest.Format(time.RFC3339),
		})
	}
}

// newest returns the data time of our newest restore point; zero if there is none.
func (c *checker) newest(volume, project string) (data time.Time) {
	for _, b := range c.points(volume, project) {
		data = latest(data, b.data())
	}
	return data
}

// ours returns our backups of a volume in a project that Cinder has, oldest first.
func (c *checker) ours(volume, project string) (all []*trackedBackup) {
	for _, b := range c.volumes[volume] {
		if b.requested.Ours && b.requested.Project == project && b.state != Removed {
			all = append(all, b)
		}
	}
	return all
}

// once records a violation that may last, the first time only.
func (c *checker) once(key string, v Violation) {
	if !c.reported[key] {
		c.reported[key] = true
		c.found = append(c.found, v)
	}
}
