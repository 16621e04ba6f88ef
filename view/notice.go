package view

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/visible"
	"staffeln/view/report"
)

// noticeLines is how many volumes one notice lists; the others are only counted.
const noticeLines = 50

// A Notice is a message that is sent at once: a condition that endangers restore points began. It is stored as it was made.
type Notice struct {
	ID           string          `json:"id"`
	Kind         backup.Reason   `json:"kind"`          // protection_ended or retention_shortened
	Group        string          `json:"group"`         // the project's ID, or all for the operator
	At           time.Time       `json:"at"`            // when it was made
	BackupKey    string          `json:"backup_key"`    // of the server metadata; empty: every server is backed up
	RetentionKey string          `json:"retention_key"` // of the server metadata
	Projects     []NoticeProject `json:"projects"`
}

// A NoticeProject is the part of a notice about one project. Volumes lists some of its Count volumes.
type NoticeProject struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Count    int            `json:"count"`
	Points   int            `json:"points"`   // restore points of all of them
	Expiring int            `json:"expiring"` // of those: removed by the shorter retention when it takes effect
	First    *time.Time     `json:"first"`    // the earliest RemovalAt of all of them
	Volumes  []NoticeVolume `json:"volumes"`
}

// A NoticeVolume is one volume, with the names that it had when the condition began.
type NoticeVolume struct {
	VolumeNames

	Since     time.Time     `json:"since"`
	Reason    backup.Reason `json:"reason"`     // why the protection ended
	Points    int           `json:"points"`     // restore points that the project has of it
	RemovalAt *time.Time    `json:"removal_at"` // its last restore point is removed; or the shorter retention takes effect, at the earliest
	InForce   backup.Period `json:"in_force"`   // retention
	Shorter   backup.Period `json:"shorter"`    // pending retention
	Expiring  int           `json:"expiring"`   // restore points that the shorter retention removes when it takes effect
	Reverted  bool          `json:"reverted"`   // the condition was over when the notice was made
}

// NewNotice returns the notice about these volumes of each project. It lists only the first volumes.
func NewNotice(kind backup.Reason, group string, at time.Time, keys backup.Keys, projects []NoticeProject) Notice {
	n := Notice{Kind: kind, Group: group, At: at, BackupKey: keys.Backup, RetentionKey: keys.Retention}
	left := noticeLines
	for _, p := range projects {
		p.Count, p.Points, p.Expiring, p.First = len(p.Volumes), 0, 0, nil
		for _, v := range p.Volumes {
			p.Points += v.Points
			p.Expiring += v.Expiring
			if !v.Reverted {
				p.First = report.Earlier(p.First, v.RemovalAt)
			}
		}
		p.Volumes = slices.Clone(p.Volumes[:min(left, p.Count)])
		left -= len(p.Volumes)
		n.Projects = append(n.Projects, p)
	}
	return n
}

// JSON returns the notice in the form in which it is stored.
func (n Notice) JSON() ([]byte, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("write notice %s as JSON: %w", n.ID, err)
	}
	return text, nil
}

// ReadNotice parses the output of JSON.
func ReadNotice(text []byte) (n Notice, err error) {
	if err := json.Unmarshal(text, &n); err != nil {
		return n, fmt.Errorf("read notice: %w", err)
	}
	return n, nil
}

// Event returns the notice as the fields of one log line.
func (n Notice) Event() (map[string]any, error) {
	whole, err := oneLine(n.JSON())
	if err != nil {
		return nil, err
	}
	event := map[string]any{"notice": n.ID, "reason": n.Kind, "volumes": n.Count(), "summary": n.Sentence(), "content": whole}
	if len(n.Projects) == 1 {
		event["project_id"], event["project"] = n.Projects[0].ID, n.Projects[0].Name
	}
	return event, nil
}

// Count returns the number of volumes that the notice is about.
func (n Notice) Count() (count int) {
	for _, p := range n.Projects {
		count += p.Count
	}
	return count
}

// About returns the project's name, or the number of projects.
func (n Notice) About() string {
	if len(n.Projects) != 1 {
		return Plural(len(n.Projects), "project", "projects")
	}
	return strings.TrimSpace(Short(visible.Text(Or(n.Projects[0].Name, n.Projects[0].ID)), 60))
}

// Subject returns the subject of the mail: one line.
func (n Notice) Subject() string {
	return fmt.Sprintf("Backups of %s: %s", n.About(), n.what())
}

// Sentence returns what happened as a sentence.
func (n Notice) Sentence() string {
	what := n.what()
	return strings.ToUpper(what[:1]) + what[1:] + "."
}

func (n Notice) what() string {
	volumes := Plural(n.Count(), "volume", "volumes")
	if n.Kind == backup.ProtectionEnded {
		return "protection of " + volumes + " ended"
	}
	what := "retention of " + volumes + " was shortened"
	if expiring := n.expiring(); expiring > 0 {
		what += fmt.Sprintf(", %s from %s on", Plural(expiring, "restore point is removed", "restore points are removed"), Clock(*n.first()))
	}
	return what
}

func (n Notice) points() (points int) {
	for _, p := range n.Projects {
		points += p.Points
	}
	return points
}

// expiring counts the restore points that the shorter retention removes; 0 if no shorter retention is pending.
func (n Notice) expiring() (expiring int) {
	if n.first() == nil {
		return 0
	}
	for _, p := range n.Projects {
		expiring += p.Expiring
	}
	return expiring
}

func (n Notice) first() (first *time.Time) {
	for _, p := range n.Projects {
		first = report.Earlier(first, p.First)
	}
	return first
}
