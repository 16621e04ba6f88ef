package backup

import "time"

// Far beyond its usual time is three times as long as the longest of the
// volume's last backups, and at least ten minutes.
const (
	farBeyond = 3
	leastTime = 10 * time.Minute
)

// FarBeyond tells whether a backup takes so much longer than it should that it
// probably hangs: by the time that the volume's last ones took (usual, nil
// where there is none), or else by half of its time limit. Its deadline has not
// passed yet.
func FarBeyond(now, requested, deadline time.Time, usual *time.Duration) bool {
	bound := deadline.Sub(requested) / 2
	if usual != nil {
		bound = min(bound, max(farBeyond**usual, leastTime))
	}
	return now.Sub(requested) > bound
}

// A Pace is how Cinder does at the moment, by our records.
type Pace struct {
	InProgress   int // asked for, or about to be
	Throttled    int // of those, wait because Cinder asked us to slow down
	Unanswered   int // of those, wait because Cinder does not answer
	Failed, Made int // backups that ended within the last ten minutes: by Cinder's fault, and well
}

// A Caution says why fewer backups begin than the caps leave room for.
type Caution string

// The cautions.
const (
	NoCaution     Caution = ""
	WhileThrottle Caution = "throttled"  // Cinder asked us to slow down
	WhileAway     Caution = "away"       // most requests go unanswered
	WhileFailing  Caution = "failing"    // most backups fail by Cinder's fault
	WhileOutage   Caution = "no_service" // no cinder-backup is up, in some zone
)

// Cautions lists all that hold something back.
var Cautions = []Caution{WhileThrottle, WhileAway, WhileFailing, WhileOutage}

// Few numbers prove nothing: below these, nobody is cautious.
const (
	unansweredAtLeast = 3
	failedAtLeast     = 5
	failedPerMade     = 4
)

// Caution says how many backups may begin at once now (negative: as many as the
// caps admit), and why. What waits for Cinder anyway is tried again by itself,
// and what is tried is how we notice that it is better.
func (p Pace) Caution() (limit int, why Caution) {
	switch {
	case p.Throttled > 0:
		return 0, WhileThrottle
	case p.Unanswered >= unansweredAtLeast && 2*p.Unanswered >= p.InProgress:
		return 0, WhileAway
	case p.Failed >= failedAtLeast && p.Failed > failedPerMade*p.Made:
		return 1, WhileFailing
	}
	return -1, NoCaution
}

// CloudTrouble are the reasons of a failure that speak of Cinder as a whole
// rather than of one volume or project.
var CloudTrouble = []Reason{BackupError, CinderUnavailable, Throttled, Refused}
