package web

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"staffeln/backup"
)

// A parameter is an allowed parameter of a query. All others are rejected: a misspelt filter must not show more.
type parameter struct {
	name, desc string
	kind       string // string, integer, or date-time
	words      []string
	many       bool // comma-separated words
	fallback   string
}

const (
	longest   = 255 // maximum length of a filter: OpenStack has no longer names or IDs
	maxCursor = 2048
	maxRows   = 1000
)

var (
	byProject = parameter{name: "project", desc: "only of the project with this ID or name", kind: "string"}
	byServer  = parameter{name: "server", desc: "only of the server with this ID or name", kind: "string"}
	byVolume  = parameter{name: "volume", desc: "only of the volume with this ID or name", kind: "string"}
	byLimit   = parameter{name: "limit", desc: "how many to list, 1 to 1000", kind: "integer", fallback: "100"}
	byCursor  = parameter{name: "cursor", desc: "next of the page before; the other parameters stay as they were", kind: "string"}

	ofVolume = []parameter{
		{name: "limit", desc: "how many links the chains that are listed have at least, 1 to 1000; the newest ones are", kind: "integer", fallback: "100"},
		{name: "cursor", desc: "next of the answer before: the chains before its own", kind: "string"},
	}
	ofVolumes = []parameter{
		byProject, byServer, byVolume,
		{name: "protection", desc: "only those with this protection", kind: "string", words: texts(backup.Protections), many: true},
		{name: "sort", desc: "by names of project and volume, or the oldest restore point first", kind: "string", words: []string{"name", "restore_point"}, fallback: "name"},
		byLimit, byCursor,
	}
	ofBackups = []parameter{
		byProject, byServer, byVolume,
		{name: "state", desc: "only in these states", kind: "string", words: texts(backup.States), many: true},
		{name: "from", desc: "only from this time on, RFC 3339, or a day of UTC", kind: "date-time"},
		{name: "until", desc: "only before this time", kind: "date-time"},
		{name: "sort", desc: "the newest first, or the oldest", kind: "string", words: []string{"-time", "time"}, fallback: "-time"},
		byLimit, byCursor,
	}
)

func texts[S ~string](all []S) []string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return texts
}

// read returns the values of the known parameters of a query, each given at most once, or their defaults.
func read(query string, known []parameter) (map[string]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, wrong("read query: it is not well-formed")
	}
	given := map[string]string{}
	for name, all := range values {
		i := slices.IndexFunc(known, func(p parameter) bool { return p.name == name })
		if i < 0 {
			return nil, wrong("read query: %.80q: no such parameter", name)
		}
		if len(all) > 1 {
			return nil, wrong("read query: %s: given %d times: want it once", name, len(all))
		}
		if err := known[i].allows(all[0]); err != nil {
			return nil, err
		}
		given[name] = all[0]
	}
	for _, p := range known {
		if given[p.name] == "" {
			given[p.name] = p.fallback
		}
	}
	return given, nil
}

func (p parameter) allows(value string) error {
	limit := longest
	if p.name == byCursor.name {
		limit = maxCursor
	}
	switch {
	case len(value) > limit:
		return wrong("read %s: longer than %d bytes", p.name, limit)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return wrong("read %s: it is no text", p.name)
	case value == "" || p.words == nil:
		return nil
	}
	words := []string{value}
	if p.many {
		words = strings.Split(value, ",")
	}
	for _, word := range words {
		if !slices.Contains(p.words, word) {
			return wrong("read %s: %.80q: want %s", p.name, word, strings.Join(p.words, ", "))
		}
	}
	return nil
}

func several[S ~string](value string) (all []S) {
	if value == "" {
		return nil
	}
	for one := range strings.SplitSeq(value, ",") {
		all = append(all, S(one))
	}
	return all
}

func rows(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxRows {
		return 0, wrong("read limit: %.20q: want 1 to %d", value, maxRows)
	}
	return n, nil
}

// moment parses a time, or a day as its beginning.
func moment(name, value string) (*time.Time, error) {
	if value == "" {
		return nil, nil //nolint:nilnil // none is given
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil && at.Year() > 0 && at.Year() < 10000 {
			return new(at.UTC()), nil
		}
	}
	return nil, wrong("read %s: %.40q: want a time such as 2026-03-01T12:00:00Z, or a day", name, value)
}

// A pageCursor is the position at which a page ended, as a cursor encodes it. It grants no access: each request is authorized
// anew.
type pageCursor struct {
	Sort    string     `json:"s"`
	At      *time.Time `json:"t,omitempty"`
	Project string     `json:"p,omitempty"`
	Name    string     `json:"n,omitempty"`
	ID      string     `json:"i"`
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
