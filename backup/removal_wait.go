package backup

import "time"

// RemovalFacts are what a removal that is due may wait for.
type RemovalFacts struct {
	// Kept reports that something other than time keeps the backup now, such as a newer link of its chain.
	Kept      bool
	Removing  bool // Cinder was asked to remove it
	Leads     bool // a scheduler leads
	QueueAway bool
	NoWorker  bool
	Paused    bool
	NextTryAt *time.Time // the newest try was refused
	Found     bool       // a retention run marked the volume
}

// Wait returns what a removal that is due waits for. The first thing that has to happen counts: Cinder is at work already,
// the backup is kept by something else, nobody works at all, an operator holds it back, or only the next step is missing.
func (f RemovalFacts) Wait(now time.Time) WaitCode {
	switch {
	case f.Removing:
		return WaitCinder
	case f.Kept:
		return WaitLink
	case !f.Leads:
		return WaitScheduler
	case f.Paused:
		return WaitPause
	case f.QueueAway:
		return WaitQueue
	case f.NoWorker:
		return WaitWorker
	case f.NextTryAt != nil && f.NextTryAt.After(now):
		return WaitRetry
	case !f.Found:
		return WaitRetention
	}
	return WaitWorker
}
