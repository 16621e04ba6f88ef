package invariants

import (
	"time"

	"staffeln/backup"
)

var began = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// A history builds a journal and records: one volume v in project p, one event an hour unless at changes the time.
type history struct {
	Facts

	now time.Time
}

func newHistory() *history { return &history{now: began} }

func (h *history) at(t time.Time) *history { h.now = t; return h }

func (h *history) event(kind EventKind, id string, change ...func(*Event)) *history {
	e := Event{At: h.now, Kind: kind, Backup: id, Volume: "v", Project: "p", Ours: true, Scope: "p", Home: "p", Zone: "z"}
	for _, c := range change {
		c(&e)
	}
	h.Journal = append(h.Journal, e)
	h.now = h.now.Add(time.Hour)
	return h
}

// record adds a record with the backup's volume and project.
func (h *history) record(id string, state backup.State, change ...func(*Record)) *history {
	r := Record{ID: "record of " + id, Volume: "v", Project: "p", Backup: id, State: state, Retention: backup.Period{Days: 10}}
	for _, e := range h.Journal {
		if e.Backup == id && e.Kind == Requested {
			r.Volume, r.Project = e.Volume, e.Project
		}
	}
	for _, c := range change {
		c(&r)
	}
	h.Records = append(h.Records, r)
	return h
}

// change changes the record of a backup.
func (h *history) change(id string, change func(*Record)) *history {
	for i := range h.Records {
		if h.Records[i].Backup == id {
			change(&h.Records[i])
		}
	}
	return h
}

func (h *history) state(id string, s backup.State) *history {
	return h.change(id, func(r *Record) { r.State = s })
}

// made adds a backup that became available, with its record; it is a full unless change sets a parent.
func (h *history) made(id string, change ...func(*Event)) *history {
	return h.event(Requested, id, change...).event(Available, id).record(id, backup.Available)
}

// gone removes a backup and ends its record.
func (h *history) gone(id string, change ...func(*Event)) *history {
	return h.state(id, backup.Deleted).event(RemovalAsked, id, change...).event(Removed, id)
}

func (h *history) promise(p Promise) *history {
	p.Volume, p.Project = "v", "p"
	h.Promises = append(h.Promises, p)
	return h
}

func (h *history) reported(l ReportLine) *history {
	l.At = h.now
	h.Reports = append(h.Reports, l)
	return h
}

func (h *history) capped(c Caps) *history { h.Caps = c; return h }

func on(parent string) func(*Event)     { return func(e *Event) { e.Parent = parent } }
func of(volume string) func(*Event)     { return func(e *Event) { e.Volume = volume } }
func tagged(record string) func(*Event) { return func(e *Event) { e.Tag = record } }
func theirs(e *Event)                   { e.Ours = false }

// in makes it a backup of another project, by a token of that project, of a volume there.
func in(project, zone string) func(*Event) {
	return func(e *Event) { e.Project, e.Scope, e.Home, e.Zone = project, project, project, zone }
}

func days(n int) backup.Period { return backup.Period{Days: n} }
