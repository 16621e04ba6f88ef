package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	bySearch  = parameter{name: "search", desc: "only those in whose names or IDs (of volume, server and project) this text occurs, in upper or lower case", kind: "string"}
	byLimit   = parameter{name: "limit", desc: "how many to list, 1 to 1000", kind: "integer", fallback: "100"}
	byCursor  = parameter{name: "cursor", desc: "next of the previous page; repeat the other parameters", kind: "string"}

	ofVolume = []parameter{
		{name: "limit", desc: "how many links the chains that are listed have at least, 1 to 1000; the newest ones are", kind: "integer", fallback: "100"},
		{name: "cursor", desc: "next of the previous page; returns the chains before those of that page", kind: "string"},
	}
	ofVolumes = []parameter{
		byProject, byServer, byVolume, bySearch,
		{name: "protection", desc: "only those with this protection", kind: "string", words: texts(backup.Protections), many: true},
		{name: "sort", desc: "by names of project and volume, or by one column; with - the other way round", kind: "string", words: bothWays("name", "volume", "server", "size", "restore_point"), fallback: "name"},
		byLimit, byCursor,
	}
	ofBackups = []parameter{
		byProject, byServer, byVolume, bySearch,
		{name: "state", desc: "only in these states", kind: "string", words: texts(backup.States), many: true},
		{name: "reason", desc: "only with this reason of the failure or of the state", kind: "string"},
		{name: "ended", desc: "only attempts that ended at this time or later", kind: "date-time"},
		{name: "from", desc: "only from this time on, RFC 3339, or a day of UTC, also such as: yesterday, 3 days ago, 29 Nov", kind: "date-time"},
		{name: "until", desc: "only before this time", kind: "date-time"},
		{name: "sort", desc: "the newest first, or the oldest, or by the volume's name", kind: "string", words: bothWays("time", "volume"), fallback: "-time"},
		byLimit, byCursor,
	}
)

// bothWays returns each order, and the same the other way round.
func bothWays(orders ...string) (words []string) {
	for _, one := range orders {
		words = append(words, one, "-"+one)
	}
	return words
}

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
