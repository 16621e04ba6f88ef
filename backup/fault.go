package backup

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Meaning is what a response of the cloud means for us, regardless of its code and text.
type Meaning string

// The meanings. Only after the last three may the same request be sent again, and a creation only after a search
// for its effect.
const (
	MeansNotFound      Meaning = "not_found"
	MeansVolumeState   Meaning = "volume_state"     // in use, or in a status that allows no backup
	MeansBackupState   Meaning = "backup_state"     // creating, restoring, deleting: it can't be deleted now
	MeansNoParent      Meaning = "no_usable_parent" // for an incremental
	MeansNoService     Meaning = "no_service"       // no cinder-backup service for the zone
	MeansHasDependents Meaning = "has_dependents"
	MeansQuota         Meaning = "quota_exceeded"
	MeansForbidden     Meaning = "forbidden"
	MeansNoRole        Meaning = "no_role"   // no role in the project
	MeansNotAdmin      Meaning = "not_admin" // the service user lacks the role admin in its own project
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

// ProjectGoneCure returns what an operator does about a deleted project that left something behind: Keystone issues no token
// for it, so nothing of it can be backed up, and its backups can't be removed by retention.
func ProjectGoneCure(projectID string) string {
	return "delete the servers and volumes that it left behind, as admin (openstack server list --all-projects --project " + projectID +
		"; openstack volume list --all-projects --project " + projectID + "); then, if backups of it are left: staffeln purge-project --project " + projectID
}
