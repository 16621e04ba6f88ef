// Package oracle says what should have happened to the backups of an office: which volumes were to be protected and
// since when, when a backup could be made, which backups must exist still and which must be gone, and that nothing else
// was touched. It compares that with what Cinder really did and has.
//
// It knows the promises that are made to tenants and operators, what the calendar tells it, and the cloud's own truth.
// It must not import anything of the product, above all nothing that decides: who shares a rule shares its mistake.
package oracle

import (
	"fmt"
	"time"

	"staffeln/internal/cloudsim"
)

// Rules are what the operator promises.
type Rules struct {
	User                    string // the service user, by ID
	BackupKey, RetentionKey string // of the servers' metadata
	Interval, Period, Grace time.Duration
	Depth, Floor            int
	Retention, ShortenDelay time.Duration
	Sweep                   time.Duration // how long what others remove may go unnoticed
	Removal                 time.Duration // how long what is over may still be there while it could be removed
}

// late is the age of its newest restore point beyond which a volume is late.
func (r Rules) late() time.Duration { return max(r.Interval, r.Period) + r.Grace }

// An Oracle follows one cloud from its beginning.
type Oracle struct {
	Rules

	cloud    *cloudsim.Cloud
	now      time.Time
	seq      int // of the newest event of the journal that was followed
	volumes  map[string]*volume
	order    []string // of volumes, as they were seen first
	copies   map[string]*backup
	foreign  map[string]bool
	troubles []*Trouble
	made     int
	removed  int
	spans    []Span
	found    []string
	told     map[string]bool // violations, so that one that lasts is told once
}

// New returns one that has seen nothing yet.
func New(cloud *cloudsim.Cloud, rules Rules) *Oracle {
	return &Oracle{
		Rules: rules, cloud: cloud, volumes: map[string]*volume{}, copies: map[string]*backup{}, foreign: map[string]bool{}, told: map[string]bool{},
	}
}

// Foreign says that a backup is somebody else's, whatever is written on it.
func (o *Oracle) Foreign(backupID string) { o.foreign[backupID] = true }

// Violations are what was found so far, in order.
func (o *Oracle) Violations() []string { return o.found }

// Made and Removed count the backups of ours that became available, and those of ours that are gone.
func (o *Oracle) Made() int { return o.made }

// Removed counts the backups of ours that are gone.
func (o *Oracle) Removed() int { return o.removed }

// violated notes a violation once for each key.
func (o *Oracle) violated(key, format string, args ...any) {
	if o.told[key] {
		return
	}
	o.told[key] = true
	o.found = append(o.found, o.now.Format("01-02 15:04")+" "+fmt.Sprintf(format, args...))
}
