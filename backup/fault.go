package backup

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Meaning says what an answer of the cloud means for us, whatever code and
// words it came in.
type Meaning string

// The meanings. Only the last three may be tried again as they are, and a
// creation never blindly.
const (
	MeansNotFound      Meaning = "not_found"
	MeansVolumeState   Meaning = "volume_state"     // busy, or in a status that allows no backup
	MeansBackupState   Meaning = "backup_state"     // creating, restoring, deleting: no deletion now
	MeansNoParent      Meaning = "no_usable_parent" // for an incremental
	MeansNoService     Meaning = "no_service"       // no cinder-backup serves the zone
	MeansHasDependents Meaning = "has_dependents"
	MeansQuota         Meaning = "quota_exceeded"
	MeansForbidden     Meaning = "forbidden"
	MeansNoRole        Meaning = "no_role" // in the project
	MeansProjectGone   Meaning = "project_gone"
	MeansSecretRight   Meaning = "secret_right_unknown" // encrypted, and our roles show no right to its secret
	MeansRefused       Meaning = "refused"              // any other refusal
	MeansUnauthorised  Meaning = "unauthorised"
	MeansThrottled     Meaning = "throttled"
	MeansUnavailable   Meaning = "unavailable"
)

// A CloudError is a refusal or a failure of the cloud, by meaning.
type CloudError struct {
	Meaning   Meaning
	Op        string // "create backup", "delete backup", ...
	Object    string // kind and ID of what it was about
	ProjectID string // whose token was used
	Status    int    // HTTP status; 0 where no answer came
	Message   string // the cloud's own words
	RequestID string
	// RetryAfter is how long the cloud asked us to wait; 0 where it did not say.
	RetryAfter time.Duration
	// Unknown says that the request may have taken effect all the same: it was
	// sent, and no clear answer came back.
	Unknown bool
	Err     error // the cause below, if any
}

// Error says what was asked of which object and what came of it.
func (e *CloudError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", e.Op, e.Object, e.Meaning)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%d)", e.Status)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	} else if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [%s]", e.RequestID)
	}
	return b.String()
}

// Unwrap returns the cause below.
func (e *CloudError) Unwrap() error { return e.Err }

// Means tells whether err is a [CloudError] of meaning m.
func Means(err error, m Meaning) bool {
	var ce *CloudError
	return errors.As(err, &ce) && ce.Meaning == m
}

// MaxAskedWait is the longest wait that the cloud can ask of us by Retry-After:
// what it asks for is a wish, and a project that is told to wait for a week must
// not be without backups for one.
const MaxAskedWait = time.Hour
