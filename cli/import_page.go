package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"staffeln/takeover"
	"staffeln/view"
)

// importPage is what an import does, or would do.
type importPage struct {
	AsOf       time.Time        `json:"as_of" desc:"when Cinder and the records were read"`
	Written    int              `json:"written" desc:"how many backups got a record; 0: none, or nothing was written"`
	Taken      []importedBackup `json:"taken" desc:"what is taken over, the oldest first"`
	Left       []importedBackup `json:"left" desc:"what is left, the oldest first"`
	Unreadable []unreadableLine `json:"unreadable" desc:"lines of the files that are no rows"`
}

type importedBackup struct {
	Outcome    takeover.RowOutcome `json:"outcome" desc:"a code"`
	Meaning    string              `json:"meaning" desc:"its sentence"`
	BackupID   string              `json:"backup_id" desc:"\"\": the row has none"`
	Name       string              `json:"name" desc:"of the backup in Cinder"`
	Status     string              `json:"status" desc:"of the backup in Cinder"`
	Kind       string              `json:"kind" desc:"full or incremental, as Cinder made it; \"\": Cinder has none"`
	DataAt     *time.Time          `json:"data_at" desc:"time of its data, or of the row; null: not known"`
	VolumeID   string              `json:"volume_id" desc:"of the volume"`
	VolumeName string              `json:"volume_name" desc:"its name; \"\": not known"`
	ProjectID  string              `json:"project_id" desc:"of the project"`
	Project    string              `json:"project_name" desc:"its name; \"\": not known"`
	File       string              `json:"file" desc:"with its row; \"\": no row names it"`
	Line       int                 `json:"line" desc:"of its row; 0: no row names it"`
}

type unreadableLine struct {
	File string `json:"file" desc:"its name"`
	takeover.Unreadable
}

// fill sorts the decisions into what is taken over and what is left.
func (p *importPage) fill(decisions []takeover.RowDecision, f *importFacts, files map[takeover.Table]string) {
	for _, d := range decisions {
		one := importedBackup{
			Outcome: d.Outcome, Meaning: d.Outcome.Sentence(), BackupID: d.ID(), Name: d.Backup.Name, Status: string(d.Backup.Status), Kind: kindOfRecord(d.Backup),
			VolumeID: d.VolumeID(), VolumeName: cmp.Or(f.volumes[d.VolumeID()].Name, d.Row.VolumeName), ProjectID: d.ProjectID(), Project: f.projects[d.ProjectID()].Name,
			File: files[d.Row.Table], Line: d.Row.Line,
		}
		if at := d.At(); !at.IsZero() {
			one.DataAt = &at
		}
		if d.Outcome.Taken() {
			p.Taken = append(p.Taken, one)
		} else {
			p.Left = append(p.Left, one)
		}
	}
}

// count returns how many backups have an outcome.
func (p *importPage) count(o takeover.RowOutcome) (n int) {
	for _, one := range slices.Concat(p.Taken, p.Left) {
		if one.Outcome == o {
			n++
		}
	}
	return n
}

// summary counts what is taken over, for the audit table.
func (p *importPage) summary() string {
	var parts []string
	for _, o := range takeover.Outcomes {
		if n := p.count(o); n > 0 && o.Taken() {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return fmt.Sprintf("%s of the Python program (%s); left: %d", view.Plural(len(p.Taken), "backup", "backups"), strings.Join(parts, ", "), len(p.Left))
}

// maxListed is how many backups of one outcome a terminal shows; --json has all.
const maxListed = 20

func (p *importPage) render(w *renderer) {
	w.now = p.AsOf
	w.title("What the tables of the Python program have")
	w.line("As of %s UTC.", view.Clock(p.AsOf))
	for _, taken := range []bool{true, false} {
		name, n := "TO TAKE OVER", len(p.Taken)
		if !taken {
			name, n = "LEFT", len(p.Left)
		}
		w.section(fmt.Sprintf("%s (%d)", name, n), "")
		if n == 0 {
			w.line("  None.")
		}
		for _, o := range takeover.Outcomes {
			if n := p.count(o); n > 0 && o.Taken() == taken {
				w.paragraph("  ", fmt.Sprintf("%d × %s: %s", n, w.colour(strong, string(o)), o.Sentence()))
			}
		}
	}
	for _, o := range takeover.Outcomes {
		if n := p.count(o); n > 0 && !o.Taken() && o != takeover.Known {
			p.list(w, o)
		}
	}
	if len(p.Unreadable) > 0 {
		w.section(fmt.Sprintf("UNREADABLE LINES (%d)", len(p.Unreadable)), "they are no rows: check them")
		some, more := first(maxListed, p.Unreadable)
		for _, u := range some {
			w.paragraph("  ", fmt.Sprintf("%s:%d: %s", u.File, u.Line, u.Why))
		}
		if more > 0 {
			w.line("  … and %d more: --json has all", more)
		}
	}
	w.line("")
}

// list lists the backups that are left with one outcome.
func (p *importPage) list(w *renderer, o takeover.RowOutcome) {
	of := slices.DeleteFunc(slices.Clone(p.Left), func(one importedBackup) bool { return one.Outcome != o })
	w.section(fmt.Sprintf("%s (%d)", strings.ToUpper(string(o)), len(of)), "")
	some, more := first(maxListed, of)
	w.table([]column{{name: "DATA OF"}, {name: "BACKUP"}, {name: "VOLUME, PROJECT", flex: true}, {name: "LINE", right: true}},
		view.Each(some, func(one importedBackup) []string {
			line := "-"
			if one.Line > 0 {
				line = strconv.Itoa(one.Line)
			}
			return []string{view.MaybeClock(one.DataAt), view.Or(one.BackupID, "-"), view.Or(one.VolumeName, one.VolumeID) + ", " + view.Or(one.Project, one.ProjectID), line}
		}), 0)
	if more > 0 {
		w.line("  … and %d more: --json has all", more)
	}
}
