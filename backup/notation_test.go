package backup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The notation of these tests. A history is a line of words, one for each backup of the volume:
//
//	F-3d        an available full of 3 days ago (F ours, f foreign)
//	I-1h        an incremental of one hour ago (I ours, i foreign)
//	Fe-2h       a symbol after the kind is the state:
//	            e failed, its leftover is in Cinder   x failed, nothing is in Cinder
//	            q that leftover is being removed      g that leftover is gone
//	            u it can't be removed                 s refused because of the volume's status
//	            k refused because the quota is exceeded
//	            p planned   c creating   o overdue    w withdrawn
//	            d being removed   D removed   l lost   r being restored
//	            z an unknown status
//	Fg-2h..5min its last change was 5 minutes ago
//	F-3d@B/20:2w of project B (else A), 20 GiB (else 10), retention two weeks (else 2w3d)
//
// Each time is counted back from now, which is on every grid used here.
var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

type word struct {
	id        string
	kind      Kind
	foreign   bool
	state     string
	at        time.Time
	changed   time.Time
	project   string
	size      int
	retention Period
}

var wordPattern = regexp.MustCompile(`^([FIfi])([a-zD]?)-(\w+)(?:\.\.(\w+))?(?:@(\w+))?(?:/(\d+))?(?::(\w+))?$`)

func parseWord(t testing.TB, id int, s string) word {
	t.Helper()
	m := wordPattern.FindStringSubmatch(s)
	require.NotNil(t, m, "no word of the notation: %q", s)
	w := word{
		id: fmt.Sprintf("%02d", id), kind: Full, foreign: m[1] == strings.ToLower(m[1]), state: m[2],
		at: now.Add(-span(t, m[3])), project: "A", size: 10, retention: period("2w3d"),
	}
	w.changed = w.at.Add(time.Second)
	if strings.EqualFold(m[1], "i") {
		w.kind = Incremental
	}
	if m[4] != "" {
		w.changed = now.Add(-span(t, m[4]))
	}
	if m[5] != "" {
		w.project = m[5]
	}
	if m[6] != "" {
		w.size, _ = strconv.Atoi(m[6])
	}
	if m[7] != "" {
		w.retention = period(m[7])
	}
	return w
}

// states defines each symbol: the record's state, whether it was ever available, and the status in Cinder (empty if
// Cinder has no backup).
var states = map[string]struct {
	state  State
	was    bool
	cinder Status
}{
	"": {Available, true, StatusAvailable}, "r": {Available, true, StatusRestoring},
	"d": {Deleting, true, StatusDeleting}, "D": {Deleted, true, ""}, "l": {Lost, true, ""},
	"e": {Failed, false, StatusError}, "x": {Failed, false, ""}, "s": {Failed, false, ""}, "k": {Failed, false, ""},
	"q": {Deleting, false, StatusDeleting}, "g": {Deleted, false, ""}, "u": {Undeletable, false, StatusErrorDeleting},
	"p": {Planned, false, ""}, "w": {Withdrawn, false, ""},
	"c": {Creating, false, StatusCreating}, "o": {Overdue, false, StatusCreating},
	"z": {Available, true, "managing"},
}

func (w word) record(t testing.TB) Record {
	t.Helper()
	s, ok := states[w.state]
	require.True(t, ok, "no state %q", w.state)
	ended := w.at.Add(time.Second)
	r := Record{
		ID: "r" + w.id, ProjectID: w.project, VolumeID: "v", SizeGiB: w.size, State: s.state, Kind: w.kind,
		Retention: w.retention, PlannedAt: w.at, RequestedAt: &w.at, ChangedAt: w.changed, EndedAt: &ended,
	}
	if s.was {
		r.AvailableAt, r.DataTimestamp = &ended, &w.at
	}
	if s.cinder != "" || w.state == "l" || w.state == "D" || w.state == "g" {
		r.BackupID, r.CinderStatus = "b"+w.id, string(s.cinder)
	}
	switch w.state {
	case "s":
		r.Reason = VolumeStatus
	case "k":
		r.Reason = QuotaExceeded
	}
	return r
}

func (w word) link(t testing.TB) Link {
	t.Helper()
	l := Link{
		BackupID: "b" + w.id, RecordID: "r" + w.id, ProjectID: w.project, Kind: w.kind,
		Status: states[w.state].cinder, SizeGiB: w.size, DataTime: w.at, CreatedTime: w.at, Retention: w.retention,
	}
	require.NotEmpty(t, l.Status, "Cinder has nothing of a word in state %q", w.state)
	if w.foreign {
		l.RecordID = ""
	}
	return l
}

// records parses a history as our records of the volume.
func records(t testing.TB, history string) (rs []Record) {
	t.Helper()
	for i, s := range strings.Fields(history) {
		rs = append(rs, parseWord(t, i+1, s).record(t))
	}
	return rs
}

// links parses a history as links, from Cinder's data and our records.
func links(t testing.TB, history string) (ls []Link) {
	t.Helper()
	for i, s := range strings.Fields(history) {
		ls = append(ls, parseWord(t, i+1, s).link(t))
	}
	return ls
}

func period(s string) Period {
	p, err := ParsePeriod(s)
	if err != nil {
		panic(err)
	}
	return p
}

func span(t testing.TB, s string) time.Duration {
	t.Helper()
	var d Duration
	require.NoError(t, d.UnmarshalText([]byte(s)))
	return d.Std()
}
