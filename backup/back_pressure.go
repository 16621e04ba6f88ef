package backup

import "time"

// A backup is far beyond its usual time if it takes three times as long as the longest of the volume's last backups,
// and at least ten minutes.
const (
	farBeyond = 3
	minTime   = 10 * time.Minute
)

// FarBeyond reports whether a backup takes so much longer than usual that it probably hangs, although its deadline
// has not passed yet. usual is the longest time of the volume's last backups, nil if there are none. The limit is half
// of the backup's time limit, or the one that follows from usual if that is less.
func FarBeyond(now, requested, deadline time.Time, usual *time.Duration) bool {
	bound := deadline.Sub(requested) / 2
	if usual != nil {
		bound = min(bound, max(farBeyond**usual, minTime))
	}
	return now.Sub(requested) > bound
}

// A BackPressure counts, from our records, how well Cinder works for one project in one availability zone, or for
// several of these scopes together.
type BackPressure struct {
	InProgress   int // backups requested, or about to be
	Throttled    int // those that wait because Cinder asked us to slow down
	Unanswered   int // those that wait because Cinder does not respond
	Newly        int // throttled and unanswered backups that were first requested within the last ten minutes
	Failed, Made int // backups that ended within the last ten minutes: failed by Cinder's fault, and made
}

func (p BackPressure) plus(q BackPressure) BackPressure {
	return BackPressure{
		p.InProgress + q.InProgress, p.Throttled + q.Throttled, p.Unanswered + q.Unanswered, p.Newly + q.Newly,
		p.Failed + q.Failed, p.Made + q.Made,
	}
}

// A ThrottleReason is the reason why fewer backups begin than the caps allow.
type ThrottleReason string

// The throttle reasons.
const (
	NotThrottled  ThrottleReason = ""
	WhileThrottle ThrottleReason = "throttled"  // Cinder asked us to slow down
	WhileAway     ThrottleReason = "away"       // most requests go unanswered
	WhileFailing  ThrottleReason = "failing"    // most backups fail because of Cinder
	WhileOutage   ThrottleReason = "no_service" // no cinder-backup service is up in some zone
)

// ThrottleReasons lists all reasons that hold backups back.
var ThrottleReasons = []ThrottleReason{WhileThrottle, WhileAway, WhileFailing, WhileOutage}

// Small numbers prove nothing: below these minimums there is no throttling.
const (
	unansweredAtLeast = 3
	failedAtLeast     = 5
	failedPerMade     = 4
	projectsAtLeast   = 3
)

// sign returns the trouble that p is a sign of, however small the numbers are.
func (p BackPressure) sign() ThrottleReason {
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

// proves reports whether the numbers of p are large enough to prove this trouble.
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

// probe returns how many backups may begin while the others are held back: one, or none if a recent backup met the
// same trouble or the result of one in progress is still unknown. The probe shows when some backups succeed although
// others don't.
func (p BackPressure) probe() int {
	if p.Newly > 0 || p.InProgress > p.Throttled+p.Unanswered {
		return 0
	}
	return 1
}

// CloudTrouble lists the failure reasons that concern Cinder as a whole, not one volume or project.
var CloudTrouble = []Reason{BackupError, CinderUnavailable, Throttled, Refused}
