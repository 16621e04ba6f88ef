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

// A Pace is what our records say of how well Cinder does for one project in one availability zone, or for more than
// one of them together.
type BackPressure struct {
	InProgress   int // asked for, or about to be
	Throttled    int // of those, wait because Cinder asked us to slow down
	Unanswered   int // of those, wait because Cinder does not answer
	Newly        int // of the throttled and unanswered, asked for the first time within the last ten minutes
	Failed, Made int // backups that ended within the last ten minutes: by Cinder's fault, and well
}

func (p BackPressure) plus(q BackPressure) BackPressure {
	return BackPressure{
		p.InProgress + q.InProgress, p.Throttled + q.Throttled, p.Unanswered + q.Unanswered, p.Newly + q.Newly,
		p.Failed + q.Failed, p.Made + q.Made,
	}
}

// A Caution says why fewer backups begin than the caps leave room for.
type ThrottleReason string

// The cautions.
const (
	NotThrottled  ThrottleReason = ""
	WhileThrottle ThrottleReason = "throttled"  // Cinder asked us to slow down
	WhileAway     ThrottleReason = "away"       // most requests go unanswered
	WhileFailing  ThrottleReason = "failing"    // most backups fail by Cinder's fault
	WhileOutage   ThrottleReason = "no_service" // no cinder-backup is up, in some zone
)

// ThrottleReasons lists all that hold something back.
var ThrottleReasons = []ThrottleReason{WhileThrottle, WhileAway, WhileFailing, WhileOutage}

// Few numbers prove nothing: below these, nobody is cautious.
const (
	unansweredAtLeast = 3
	failedAtLeast     = 5
	failedPerMade     = 4
	projectsAtLeast   = 3
)

// shows says what p is a sign of, however small the numbers.
func (p BackPressure) shows() ThrottleReason {
	switch {
	case p.Throttled > 0:
		return WhileThrottle
	case p.Unanswered > 0 && 2*p.Unanswered >= p.InProgress+p.Made:
		return WhileAway
	case p.Failed > failedPerMade*p.Made:
		return WhileFailing
	}
	return NotThrottled
}

// proves tells whether p shows it in numbers that prove it.
func (p BackPressure) proves(why ThrottleReason) bool {
	switch why {
	case WhileThrottle:
		return p.Throttled > 0
	case WhileAway:
		return p.Unanswered >= unansweredAtLeast && 2*p.Unanswered >= p.InProgress+p.Made
	case WhileFailing:
		return p.Failed >= failedAtLeast && p.Failed > failedPerMade*p.Made
	case NotThrottled, WhileOutage:
	}
	return false
}

// probe is how many may begin at once although nothing should: one, while none that was tried lately met the same, and
// none is on its way that nothing is known of. It is how we notice that some do well beside those that don't.
func (p BackPressure) probe() int {
	if p.Newly > 0 || p.InProgress > p.Throttled+p.Unanswered {
		return 0
	}
	return 1
}

// CloudTrouble are the reasons of a failure that speak of Cinder as a whole
// rather than of one volume or project.
var CloudTrouble = []Reason{BackupError, CinderUnavailable, Throttled, Refused}
