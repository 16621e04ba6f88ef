package backup

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Meaning is what a response of the cloud means for us, whatever its code and text.
type Meaning string

// The meanings. Only after the last three may the same request be sent again, and a creation never without looking
// for its effect first.
const (
	MeansNotFound      Meaning = "not_found"
	MeansVolumeState   Meaning = "volume_state"     // busy, or in a status that allows no backup
	MeansBackupState   Meaning = "backup_state"     // creating, restoring, deleting: it can't be deleted now
	MeansNoParent      Meaning = "no_usable_parent" // for an incremental
	MeansNoService     Meaning = "no_service"       // no cinder-backup service for the zone
	MeansHasDependents Meaning = "has_dependents"
	MeansQuota         Meaning = "quota_exceeded"
	MeansForbidden     Meaning = "forbidden"
	MeansNoRole        Meaning = "no_role" // no role in the project
	MeansProjectGone   Meaning = "project_gone"
	MeansSecretRight   Meaning = "secret_right_unknown" // encrypted, and our roles do not show a right to its secret
	MeansRefused       Meaning = "refused"              // any other refusal
	MeansUnauthorised  Meaning = "unauthorised"
	MeansThrottled     Meaning = "throttled"
	MeansUnavailable   Meaning = "unavailable"
)

// A CloudError is a refusal or a failure of the cloud, with its meaning.
type CloudError struct {
	Meaning   Meaning
	Op        string // "create backup", "delete backup", ...
	Object    string // kind and ID of the object
	ProjectID string // whose token was used
	Status    int    // HTTP status; 0 if there was no response
	Message   string // message of the cloud
	RequestID string
	// RetryAfter is how long the cloud asked us to wait; 0 if it did not ask.
	RetryAfter time.Duration
	// Unknown reports that the request may have taken effect: it was sent, and no clear response came back.
	Unknown bool
	Err     error // cause, if any
}

// Error returns the operation, its object and the result.
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

// Unwrap returns the cause.
func (e *CloudError) Unwrap() error { return e.Err }

// Means reports whether err is a [CloudError] of meaning m.
func Means(err error, m Meaning) bool {
	var ce *CloudError
	return errors.As(err, &ce) && ce.Meaning == m
}

// MaxAskedWait is the longest wait that we accept from Retry-After. A project must not be without backups for a week
// because the cloud asked for that.
const MaxAskedWait = time.Hour
