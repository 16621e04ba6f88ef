// Package doctor judges an installation as a whole: its configuration, what it depends on, what it does, and whether it can
// keep its RPO.
//
// The caller collects the facts; plain rules judge them here. The package does no I/O, so that a test can make every
// judgement.
package doctor

import (
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// Facts are all the facts that the doctor judges. A part that could not be read has the reason in its Fault.
type Facts struct {
	Now      time.Time // the database's clock
	Settings backup.Settings
	// ConfiguredBy describes where the variables come from.
	ConfiguredBy string
	Database     DatabaseFacts
	Queue        QueueFacts
	Cloud        CloudFacts
	Check        Check
	Projects     []ProjectFacts
	// Violations are the violated invariants in records and Cinder's listing; CompareFault is why they could not be compared.
	Violations   []invariants.Violation
	CompareFault string
	// Warnings are the scheduler's: no scheduler leads, a run is overdue.
	Warnings []string
	Pauses   int
	DryRun   bool
	// Protected volumes: those whose newest restore point is young enough, those past the RPO, and those that wait for
	// their first one.
	Covered, Late, Waiting int
	Load                   []Load
	// FirstPlan is when the first plan comes, in words: none has run yet, and nothing is known about volumes. Empty: one has run.
	FirstPlan string
}

// DatabaseFacts are those of the Postgres that holds the records.
type DatabaseFacts struct {
	Fault             string
	Version           int // as server_version_num has it: 150004
	Recovery          bool
	Fsync             bool
	SynchronousCommit string
	Replicas          int
	// BackedUp reports that the operator states that backups of it exist.
	BackedUp bool
	// Pooled reports whether several backends served one session of ours: a transaction pooler is in between.
	Pooled bool
}

// QueueFacts are those of the Redis that carries the tasks.
type QueueFacts struct {
	Fault      string
	Version    string
	Hidden     bool // we may not read its configuration
	AppendOnly bool
	Eviction   string // maxmemory-policy
	UsedBytes  int64
	MaxBytes   int64 // 0: no limit of its own
	Workers    int   // alive
}

// CloudFacts are what the service user sees of the cloud.
type CloudFacts struct {
	Fault         string
	Admin         bool
	Microversion  string // the newest that Cinder supports
	Minor         int    // its second number
	Services      []backup.Service
	ServicesFault string
	NovaFault     string // why Nova lists no servers
	// ClockOff is how far Keystone's clock is ahead of the database's.
	ClockOff time.Duration
	// OtherMakers is how many backups with our tag each other user made.
	OtherMakers map[string]int
}

// ProjectFacts are those of a project with protected volumes.
type ProjectFacts struct {
	ID, Name           string
	Fault              string // why there is no token of it, or its quota can't be read
	Backups, Gigabytes backup.Quota
	Encrypted          int  // protected volumes that are encrypted
	SecretRight        bool // our token has a role that gives the right to their secrets
}

// Load is how long one project's backups take.
type Load struct {
	Project string
	Volumes int           // protected
	Average time.Duration // of the backups that ended well within the last day; 0: there was none
}

// Severity is how bad a finding is.
type Severity string

// The severities, from the mildest.
const (
	OK      Severity = "ok"      // as it should be
	Unknown Severity = "unknown" // it could not be read
	Warning Severity = "warning" // it may become a problem
	Failing Severity = "error"   // volumes are late or not backed up, or soon will be
)

// Result is the judgement about one thing.
type Result struct {
	Check    string // what was checked, in one word
	Severity Severity
	Text     string // what was found
	Do       string // what to do about it; empty if nothing
}

var rank = map[Severity]int{OK: 0, Unknown: 1, Warning: 2, Failing: 3}

// Worst returns the severity of the worst finding.
func Worst(findings []Result) Severity {
	worst := OK
	for _, f := range findings {
		if rank[f.Severity] > rank[worst] {
			worst = f.Severity
		}
	}
	return worst
}
