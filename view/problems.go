package view

import (
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// A Warning is one problem of Staffeln itself: the code is for programs, the words are for people.
type Warning struct {
	Code  string `json:"code" desc:"no_leader, no_worker, queue_unreachable, plan_late, dispatch_late, retention_late, reconcile_late, no_plan, or not_working: one of these, for readers of one project"`
	Words string `json:"words" desc:"what is wrong, and what to do"`
}

// aliveTime is how long after its last heartbeat a process counts as alive; heartbeats are sent every 15 seconds.
const aliveTime = time.Minute

// Process is a scheduler or worker.
type Process struct {
	Kind    string    `json:"kind" desc:"scheduler or worker"`
	Name    string    `json:"name" desc:"host and process ID"`
	Version string    `json:"version" desc:"of the program"`
	Since   time.Time `json:"since" desc:"when it was started"`
	SeenAt  time.Time `json:"seen_at" desc:"its last heartbeat"`
	Alive   bool      `json:"alive" desc:"the last heartbeat is younger than a minute; a process that ends removes its heartbeat, so one that is not alive was killed or cannot reach the database"`
}

func processesOf(now time.Time, all []db.Heartbeat) []Process {
	return Each(all, func(p db.Heartbeat) Process {
		return Process{p.Kind, p.Name, p.Version, p.StartedAt, p.SeenAt, now.Sub(p.SeenAt) < aliveTime}
	})
}

// dead reports whether all known processes of the kind are dead. Without any heartbeat nothing is known.
func dead(kind string, processes []Process) bool {
	known := false
	for _, p := range processes {
		if p.Kind != kind {
			continue
		}
		if p.Alive {
			return false
		}
		known = true
	}
	return known
}

// stopped returns the part of Staffeln that does not work, so that volumes wait for it: the scheduler, the queue or the
// workers; empty if all work.
func stopped(l db.Leader, processes []Process) backup.WaitCode {
	switch {
	case !l.Leads: // the last queue finding may have ended
		return backup.WaitScheduler
	case l.Queue == backup.QueueUnreachable:
		return backup.WaitQueue
	case l.Queue == backup.NoWorker || dead(db.WorkerProcess, processes):
		return backup.WaitWorker
	}
	return ""
}

// stoppedWarnings has the warning about each part of Staffeln that does not work.
var stoppedWarnings = map[backup.WaitCode]Warning{
	backup.WaitScheduler: {"no_leader", "No scheduler leads now: nothing is planned, dispatched or removed. Start one: `staffeln scheduler`."},
	backup.WaitQueue:     {string(backup.QueueUnreachable), backup.QueueUnreachable.Sentence() + " Start it, or check STAFFELN_REDIS_URL."},
	backup.WaitWorker:    {string(backup.NoWorker), backup.NoWorker.Sentence() + " Start one: `staffeln worker`."},
}
