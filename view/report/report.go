// Package report is the reports and notices that people get about their backups: their content, whether one is due, and
// their forms: HTML, plain text, JSON, and one event of the log.
//
// It is a pure package: values in, values out. It must not know where the facts come from or how a mail is sent.
package report

import (
	"encoding/json"
	"fmt"
	"time"

	"staffeln/backup"
)

// All is the group of a report about all projects; any other group is the ID of its one project.
const All = "all"

// A Report is the report of one group at one moment. It is stored as it was made: each receiver, and each further try, gets
// the same.
type Report struct {
	ID        string    `json:"id" desc:"of the report; empty in a preview"`
	Group     string    `json:"group" desc:"the project's ID, or all"`
	From      time.Time `json:"covers_from" desc:"the group's report before, or the oldest result in this one"`
	At        time.Time `json:"at" desc:"when it was made, by the database's clock; what ended later waits for the next one"`
	LateAfter int64     `json:"late_after_seconds" desc:"age of a newest restore point's data beyond which a volume is late"`
	Projects  []Project `json:"projects" desc:"those with something to tell, by name"`
	Findings  []Finding `json:"findings" desc:"about no single project, for the operator"`
}

// A Project is the part of a report about one project.
type Project struct {
	ID         string    `json:"id" desc:"Keystone's"`
	Name       string    `json:"name" desc:"its name"`
	Protected  int       `json:"protected_volumes" desc:"volumes that are to be backed up"`
	Backups    *Quota    `json:"quota_backups" desc:"quota of backups; null: it could not be read"`
	Gigabytes  *Quota    `json:"quota_gigabytes" desc:"quota of backup gigabytes; null: it could not be read"`
	QuotaFault string    `json:"quota_fault" desc:"why a quota could not be read"`
	Succeeded  []Success `json:"succeeded" desc:"backups that were made, the newest first"`
	Failed     []Failure `json:"failed" desc:"attempts that ended without one, the newest first"`
	Late       []Late    `json:"late" desc:"protected volumes whose newest restore point is too old, the oldest first"`
	Never      []Late    `json:"never_backed_up" desc:"protected volumes without any restore point"`
	Findings   []Finding `json:"project_findings" desc:"what somebody should know, the newest first"`
	Fewer      []Fewer   `json:"fewer_than_promised" desc:"volumes with fewer restore points than are always kept"`
	Removed    []Removal `json:"removed" desc:"restore points that were removed since the report before, by volume and reason"`
}

// An Object names what a line is about: a volume and its server.
type Object struct {
	VolumeID   string `json:"volume_id" desc:"Cinder's ID"`
	VolumeName string `json:"volume_name" desc:"as the newest plan, or the backup's own, saw it"`
	ServerID   string `json:"server_id" desc:"of the server that asked for backups, or the last one that did"`
	ServerName string `json:"server_name" desc:"its name"`
}

// A Success is a backup that was made.
type Success struct {
	Object

	Record    string      `json:"record" desc:"Staffeln's own ID of it"`
	BackupID  string      `json:"backup_id" desc:"Cinder's ID of the backup"`
	Kind      backup.Kind `json:"kind" desc:"full or incremental"`
	SizeGiB   int         `json:"size_gib" desc:"of the volume"`
	StartedAt time.Time   `json:"started_at" desc:"when Cinder was first asked for it"`
	Took      int64       `json:"took_seconds" desc:"until it was seen to be available"`
	KeptUntil *time.Time  `json:"kept_until" desc:"the end of its retention; a newest restore point is kept longer. null: it is gone already"`
	Gone      string      `json:"gone" desc:"why Cinder no longer has it; empty: it has"`
}

// A Failure is an attempt that ended without a backup.
type Failure struct {
	Object

	Record    string        `json:"record" desc:"Staffeln's own ID of it"`
	BackupID  string        `json:"backup_id" desc:"Cinder's ID, where it named one"`
	At        time.Time     `json:"at" desc:"when it ended"`
	Reason    backup.Reason `json:"reason" desc:"a code of the runbook"`
	Sentence  string        `json:"sentence" desc:"the same for people"`
	Text      string        `json:"text" desc:"in full: Cinder's words and fail_reason"`
	RequestID string        `json:"request_id" desc:"of the request, in Cinder's log"`
	MustAct   backup.Owner  `json:"must_act" desc:"tenant, operator or nobody"`
	Next      Next          `json:"next" desc:"what comes after it: succeeded_since, in_progress, retried, paused or not_retried"`
	AgainAt   *time.Time    `json:"again_at" desc:"when it is tried again, or when a later one succeeded; null: neither"`
}

// Next is what comes after a failure.
type Next string

// The values of Next.
const (
	SucceededSince Next = "succeeded_since" // a later backup of the volume was made
	InProgress     Next = "in_progress"     // another attempt is in progress
	Retried        Next = "retried"         // at the time in AgainAt
	WhilePaused    Next = "paused"          // not before the operator resumes
	NotRetried     Next = "not_retried"     // the volume is no longer to be backed up
)

// Late is a protected volume that has no restore point, or none that is young enough.
type Late struct {
	Object

	Since    *time.Time    `json:"since" desc:"since when it is late; without a restore point: since when it is protected; null: not known"`
	NewestAt *time.Time    `json:"newest_restore_point_at" desc:"the time of its data; null: there is none"`
	Overdue  bool          `json:"overdue" desc:"without a restore point, for longer than late_after_seconds"`
	Reason   backup.Reason `json:"reason" desc:"of its newest failure, or else of the newest decision"`
	Sentence string        `json:"sentence" desc:"the same for people"`
}

// A Finding is what somebody should know.
type Finding struct {
	Reason   backup.Reason `json:"reason" desc:"a code of the runbook"`
	Sentence string        `json:"sentence" desc:"the same for people"`
	MustAct  backup.Owner  `json:"must_act" desc:"tenant, operator or nobody"`
	Object   string        `json:"object" desc:"ID of the server, volume or backup that it is about"`
	Detail   string        `json:"detail" desc:"what was seen"`
	Since    time.Time     `json:"since" desc:"when it was seen first"`
}

// Empty reports whether there is nothing to report. A volume that waits for its first backup, but not longer than
// LateAfter, is included in a report that has other content, but causes no report. The same holds for a volume with fewer
// restore points than promised.
func (p Project) Empty() bool {
	return len(p.Succeeded)+len(p.Failed)+len(p.Late)+p.overdue()+len(p.Findings)+len(p.Removed) == 0
}

func (p Project) overdue() (n int) {
	for _, l := range p.Never {
		if l.Overdue {
			n++
		}
	}
	return n
}

// JSON returns the report for programs, in the form in which it is stored.
func (r Report) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write report %s as JSON: %w", r.ID, err)
	}
	return append(text, '\n'), nil
}

// Read parses the output of JSON.
func Read(text []byte) (r Report, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}
