package takeover

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Table is a table of the Python program.
type Table string

// The tables with backups.
const (
	BackupData Table = "backup_data" // what it believes that Cinder has
	QueueData  Table = "queue_data"  // what is in progress, or was not reported yet
)

// columns are those that the tables have in every release. Since 2.0.0 backup_data has incremental; queue_data has incremental,
// volume_name, instance_name and reason.
var columns = map[Table][]string{
	BackupData: {"created_at", "backup_id", "project_id", "volume_id", "instance_id", "backup_completed"},
	QueueData:  {"created_at", "backup_id", "project_id", "volume_id", "instance_id", "backup_status"},
}

// A QueueStatus is a value of queue_data.backup_status.
type QueueStatus int

// The statuses of a row of queue_data.
const (
	Planned QueueStatus = iota
	InProgress
	Completed
	Failed
	Begun // it asked Cinder, and did not save the response
)

// A Row is one row of a table. Times are UTC.
type Row struct {
	Table      Table
	Line       int       // in its file
	CreatedAt  time.Time // of backup_data: when the backup ended; zero: not recorded
	BackupID   string    // empty: Cinder has given none, as far as the row knows
	ProjectID  string
	VolumeID   string
	ServerID   string
	VolumeName string      // of queue_data since 2.0.0
	ServerName string      // of queue_data since 2.0.0
	Status     QueueStatus // of queue_data
	Failed     bool        // of backup_data: it failed or was cancelled, and its removal is still to be tried
}

// succeeded reports whether the backup became a restore point, as far as the row knows.
func (r *Row) succeeded() bool {
	return r.Table == BackupData && !r.Failed || r.Table == QueueData && r.Status == Completed
}

// Read reads a table as text. It returns an error if the text is not this table at all.
func Read(table Table, text []byte) (rows []Row, bad []Unreadable, err error) {
	header, lines, err := split(text)
	if err != nil {
		return nil, nil, err
	}
	if err := check(table, header); err != nil {
		return nil, nil, err
	}
	for _, l := range lines {
		row, wrong := Row{Table: table, Line: l.number}, l.wrong
		if wrong == "" {
			wrong = row.fill(header, l.fields)
		}
		if wrong != "" {
			bad = append(bad, Unreadable{l.number, wrong})
			continue
		}
		rows = append(rows, row)
	}
	return rows, bad, nil
}

// check returns an error if these are not the columns of the table.
func check(table Table, header []string) error {
	lacks := func(of Table) (missing []string) {
		for _, name := range columns[of] {
			if !slices.Contains(header, name) {
				missing = append(missing, name)
			}
		}
		return missing
	}
	if missing := lacks(table); len(missing) > 0 {
		for other := range columns {
			if len(lacks(other)) == 0 {
				return fmt.Errorf("this is the table %s: want %s", other, table)
			}
		}
		return fmt.Errorf("its header lacks the columns %s of %s: want select * from %[2]s, with the names of the columns", strings.Join(missing, ", "), table)
	}
	for i, name := range header {
		if slices.Contains(header[:i], name) {
			return fmt.Errorf("its header has the column %s twice", name)
		}
	}
	return nil
}

var (
	wholeID   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	projectID = regexp.MustCompile(`^[0-9A-Za-z_.-]{1,64}$`)
)

// fill reads the fields, and returns what is wrong with them.
func (r *Row) fill(header, fields []string) (wrong string) {
	value := func(name string) string {
		if i := slices.Index(header, name); i >= 0 {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	r.ProjectID, r.ServerID = value("project_id"), strings.ToLower(value("instance_id"))
	r.BackupID, r.VolumeID = strings.ToLower(value("backup_id")), strings.ToLower(value("volume_id"))
	r.VolumeName, r.ServerName = value("volume_name"), value("instance_name")
	if r.BackupID == "null" { // the Python program writes the text NULL into queue_data
		r.BackupID = ""
	}
	var ok bool
	switch {
	case r.BackupID != "" && !wholeID.MatchString(r.BackupID), r.BackupID == "" && r.Table == BackupData:
		return fmt.Sprintf("backup_id is %.80q: want the ID of a backup", value("backup_id"))
	case !wholeID.MatchString(r.VolumeID):
		return fmt.Sprintf("volume_id is %.80q: want the ID of a volume", value("volume_id"))
	case !projectID.MatchString(r.ProjectID):
		return fmt.Sprintf("project_id is %.80q: want the ID of a project", value("project_id"))
	}
	if r.CreatedAt, ok = timeOf(value("created_at")); !ok {
		return fmt.Sprintf("created_at is %.80q: want a time such as 2026-11-22 07:31:30", value("created_at"))
	}
	if incremental := value("incremental"); !slices.Contains(truths, strings.ToLower(incremental)) {
		return fmt.Sprintf("incremental is %.80q: want 0 or 1", incremental) // Cinder knows better what it made, but the columns may be shifted
	}
	if r.Table == BackupData {
		completed := value("backup_completed")
		r.Failed = completed == "0"
		if completed != "0" && completed != "1" {
			return fmt.Sprintf("backup_completed is %.80q: want 0 or 1", completed)
		}
		return ""
	}
	status := slices.Index([]string{"0", "1", "2", "3", "4"}, value("backup_status"))
	if r.Status = QueueStatus(status); status < 0 {
		return fmt.Sprintf("backup_status is %.80q: want 0 to 4", value("backup_status"))
	}
	return ""
}

// truths are the values of a boolean column as the databases print them; null is false.
var truths = []string{"", "0", "1", "f", "t", "false", "true"}

// timeOf reads a time in UTC, with or without a part of a second; null is the zero time.
func timeOf(text string) (at time.Time, ok bool) {
	if text == "" {
		return at, true
	}
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), true
		}
	}
	return at, false
}
