package web

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"staffeln/db"
	"staffeln/view"
)

// A pageCursor is the position at which a page ended, as a cursor encodes it. It grants no access: each request is authorized
// anew.
type pageCursor struct {
	Sort    string     `json:"s"`
	At      *time.Time `json:"t,omitempty"`
	Project string     `json:"p,omitempty"`
	Name    string     `json:"n,omitempty"`
	ID      string     `json:"i"`
	Server  string     `json:"v,omitempty"`
	Number  int        `json:"z,omitempty"`
}

func (p *pageCursor) cursor() string {
	text, err := json.Marshal(p)
	if err != nil {
		return "" // the time is out of JSON's range: the list ends there
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// readCursor decodes the cursor of a list with this sort order; nil if there is none.
func readCursor(cursor, sort string) (*pageCursor, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // the first page
	}
	var p pageCursor
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Sort != sort || p.ID == "" || p.At != nil && (p.At.Year() < 1 || p.At.Year() > 9999) {
		return nil, wrong("read cursor: it is not one of a list that is sorted by %s: want next of the page before", sort)
	}
	return &p, nil
}

// A pageRequest is how many rows of a list are requested, and which position they follow or precede. If both are given, before
// wins.
type pageRequest struct {
	rows          int
	after, before *pageCursor
}

func readPageRequest(given map[string]string) (t pageRequest, err error) {
	if t.rows, err = rows(given["limit"]); err != nil {
		return t, err
	}
	if t.after, err = readCursor(given["cursor"], given["sort"]); err != nil {
		return t, err
	}
	if t.before, err = readCursor(given["before"], given["sort"]); err != nil {
		return t, err
	}
	if t.before != nil {
		t.after = nil
	}
	return t, nil
}

// cursorOfVolume returns the position of a volume in its list.
func cursorOfVolume(v view.VolumeSummary, sort string) *pageCursor {
	return &pageCursor{Sort: sort, At: v.RestorePoint, Project: v.ProjectName, Name: v.VolumeName, ID: v.VolumeID, Server: v.ServerName, Number: v.SizeGiB}
}

// volume returns the cursor in the form of the database; nil for nil.
func (p *pageCursor) volume() *db.VolumeCursor {
	if p == nil {
		return nil
	}
	return &db.VolumeCursor{NewestAt: p.At, Project: p.Project, Name: p.Name, ID: p.ID, Server: p.Server, SizeGiB: p.Number}
}

// backup returns the cursor in the form of the database; nil for nil. Backups always have a time.
func (p *pageCursor) backup() (*db.Cursor, error) {
	switch {
	case p == nil:
		return nil, nil //nolint:nilnil // there is no cursor
	case p.At == nil:
		return nil, wrong("read cursor: it has no time: want next of the page before")
	}
	return &db.Cursor{At: *p.At, Name: p.Name, ID: p.ID}, nil
}

// cursorOf returns the position of a backup in its list.
func cursorOf(b view.BackupSummary, sort string) *pageCursor {
	return &pageCursor{Sort: sort, At: &b.At, Name: b.VolumeName, ID: b.RecordID}
}
