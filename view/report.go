package view

import (
	"encoding/json"
	"fmt"
	"time"

	"staffeln/backup"
)

// A Report is the report of one group at one moment. It is stored as it was made: each receiver, and each further try, gets
// the same.
type Report struct {
	ID        string          `json:"id" desc:"of the report; empty in a preview"`
	Group     string          `json:"group" desc:"the project's ID, or all"`
	From      time.Time       `json:"covers_from" desc:"the group's report before, or the oldest result in this one"`
	At        time.Time       `json:"at" desc:"when it was made, by the database's clock; what ended later waits for the next one"`
	LateAfter int64           `json:"late_after_seconds" desc:"age of a newest restore point's data beyond which a volume is late, in addition to what a backup of it usually takes"`
	Projects  []ReportProject `json:"projects" desc:"those with something to report, by name"`
	Findings  []Finding       `json:"findings" desc:"about no single project, for the operator"`
	Restore   []string        `json:"restore_commands" desc:"restore any backup of it safely, after BACKUP and VOLUME are set to its IDs; empty: it names none"`
}

// A ReportProject is the part of a report about one project.
type ReportProject struct {
	ID         string          `json:"id" desc:"Keystone's"`
	Name       string          `json:"name" desc:"its name"`
	Protected  int             `json:"protected_volumes" desc:"volumes that are to be backed up"`
	Backups    *Quota          `json:"quota_backups" desc:"quota of backups; null: it could not be read"`
	Gigabytes  *Quota          `json:"quota_gigabytes" desc:"quota of backup gigabytes; null: it could not be read"`
	QuotaFault string          `json:"quota_fault" desc:"why a quota could not be read"`
	Succeeded  []Success       `json:"succeeded" desc:"backups that were made, the newest first"`
	Failed     []FailedAttempt `json:"failed" desc:"attempts that ended without one, the newest first"`
	Late       []Late          `json:"late" desc:"protected volumes whose newest restore point is too old, the oldest first"`
	Never      []Late          `json:"never_backed_up" desc:"protected volumes without any restore point"`
	Findings   []Finding       `json:"project_findings" desc:"what needs attention, the newest first"`
	Fewer      []Fewer         `json:"fewer_than_promised" desc:"volumes with fewer restore points than are always kept"`
	Removed    []Removal       `json:"removed" desc:"restore points that were removed since the report before, by volume and reason"`
}

// VolumeNames name a volume and its server.
type VolumeNames struct {
	VolumeID   string `json:"volume_id" desc:"Cinder's ID"`
	VolumeName string `json:"volume_name" desc:"as the newest plan, or the backup's own, saw it"`
	ServerID   string `json:"server_id" desc:"of the server that asked for backups, or the last one that did"`
	ServerName string `json:"server_name" desc:"its name"`
}

// A Success is a backup that was made.
type Success struct {
	VolumeNames

	Record    string      `json:"record" desc:"Staffeln's own ID of it"`
	BackupID  string      `json:"backup_id" desc:"Cinder's ID of the backup"`
	Kind      backup.Kind `json:"kind" desc:"full or incremental"`
	SizeGiB   int         `json:"size_gib" desc:"of the volume"`
	StartedAt time.Time   `json:"started_at" desc:"when Cinder began it"`
	Took      int64       `json:"took_seconds" desc:"how long Cinder worked on it, by its own times"`
	KeptUntil *time.Time  `json:"kept_until" desc:"when the policy removes it, if no further backup is made; null: it is kept, or Cinder no longer has it"`

	Kept backup.Reason `json:"kept_why" desc:"why it is kept, or expires; a code of the runbook; empty: Cinder no longer has it"`
	Gone string        `json:"gone" desc:"why Cinder no longer has it; empty: it has"`
}

// A FailedAttempt is an attempt that ended without a backup, and what comes after it.
type FailedAttempt struct {
	Failure

	Record   string       `json:"record" desc:"Staffeln's own ID of it"`
	BackupID string       `json:"backup_id" desc:"Cinder's ID, where it named one"`
	Next     AfterFailure `json:"next" desc:"what comes after it: succeeded_since, in_progress, retried, paused or not_retried"`
	AgainAt  *time.Time   `json:"again_at" desc:"when it is tried again, or when a later one succeeded; null: neither"`
}

// AfterFailure is what comes after a failure.
type AfterFailure string

// The values of Next.
const (
	SucceededSince    AfterFailure = "succeeded_since" // a later backup of the volume was made
	AnotherInProgress AfterFailure = "in_progress"     // another attempt is in progress
	Retried           AfterFailure = "retried"         // at the time in AgainAt
	WhilePaused       AfterFailure = "paused"          // not before the operator resumes
	NotRetried        AfterFailure = "not_retried"     // the volume is no longer to be backed up
)

// Late is a protected volume that has no restore point, or none that is young enough.
type Late struct {
	VolumeNames

	Since    *time.Time `json:"since" desc:"since when it is late; without a restore point: since when it is protected; null: not known"`
	NewestAt *time.Time `json:"newest_restore_point_at" desc:"the time of its data; null: there is none"`
	TooLong  bool       `json:"too_long" desc:"without a restore point, for longer than late_after_seconds"`
	Reason   Reason     `json:"reason" desc:"of its newest failure, or else of the newest decision"`
}

// Empty reports whether there is nothing to report. A volume that waits for its first backup, but not longer than
// LateAfter, is included in a report that has other content, but causes no report. The same holds for a volume with fewer
// restore points than promised.
func (p ReportProject) Empty() bool {
	return len(p.Succeeded)+len(p.Failed)+len(p.Late)+p.neverTooLong()+len(p.Findings)+len(p.Removed) == 0
}

func (p ReportProject) neverTooLong() (n int) {
	for _, l := range p.Never {
		if l.TooLong {
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

// ReadReport parses the output of JSON.
func ReadReport(text []byte) (r Report, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}
