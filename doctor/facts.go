// Package doctor judges an installation as a whole: what is configured, what it stands on, what it does, and whether it
// can keep its promise.
//
// The facts are gathered by whoever can reach them, and judged here by plain rules. The package must not reach anything
// itself, so that every judgement can be made in a test.
package doctor

import (
	"time"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// Facts are all that the doctor looks at. A part that could not be looked at says why in its Fault.
type Facts struct {
	Now      time.Time // the database's clock
	Settings backup.Settings
	Database Database
	Queue    Queue
	Cloud    Cloud
	Check    Check
	Projects []Project
	// Broken are the laws that the records and Cinder's listing break; LawsFault why they could not be compared.
	Broken    []invariants.Violation
	LawsFault string
	// Troubles are the scheduler's: nobody leads, a beat is late.
	Troubles []string
	Pauses   int
	// Protected volumes: those whose newest restore point is young enough, those past the RPO, and those that wait for
	// their first one in time.
	Covered, Late, Waiting int
	Load                   []Load
}

// Database is the Postgres that remembers.
type Database struct {
	Fault             string
	Version           int // as server_version_num has it: 150004
	Recovery          bool
	Fsync             bool
	SynchronousCommit string
	Replicas          int
	// Pooled says that one session of ours was served by several backends: something pools transactions in between.
	Pooled bool
}

// Queue is the Redis that carries the tasks.
type Queue struct {
	Fault      string
	Version    string
	Hidden     bool // it does not tell us its configuration
	AppendOnly bool
	Eviction   string // maxmemory-policy
	UsedBytes  int64
	MaxBytes   int64 // 0: no bound of its own
	Workers    int   // alive
}

// Cloud is what the service user sees of the cloud.
type Cloud struct {
	Fault         string
	Admin         bool
	Microversion  string // of Cinder, the newest that it knows
	Minor         int    // its second number
	Services      []backup.Service
	ServicesFault string
	// ClockOff is how far Keystone's clock is ahead of the database's.
	ClockOff time.Duration
	// OtherMakers are how many backups with our tag each other user made.
	OtherMakers map[string]int
}

// Project is a project with protected volumes.
type Project struct {
	ID, Name           string
	Fault              string // why no token of it can be had, or its quota not be read
	Backups, Gigabytes backup.Quota
	Encrypted          int  // protected volumes that are encrypted
	SecretRight        bool // our token shows the right to their secrets
}

// Load is what one project's backups take.
type Load struct {
	Project string
	Volumes int           // protected
	Average time.Duration // of the backups that ended well within the last day; 0: there was none
}

// Severity says how bad a finding is.
type Severity string

// The severities, from the mildest.
const (
	OK      Severity = "ok"      // as it should be
	Unknown Severity = "unknown" // it could not be looked at
	Warning Severity = "warning" // it will cost something some day
	Failing Severity = "error"   // a promise is broken, or is about to be
)

// Finding is what the doctor says about one thing.
type Finding struct {
	Check    string // what was looked at, in one word
	Severity Severity
	Text     string // what was seen
	Do       string // what to do about it; empty where nothing is to be done
}

var rank = map[Severity]int{OK: 0, Unknown: 1, Warning: 2, Failing: 3}

// Worst is the severity of the worst finding.
func Worst(findings []Finding) Severity {
	worst := OK
	for _, f := range findings {
		if rank[f.Severity] > rank[worst] {
			worst = f.Severity
		}
	}
	return worst
}
