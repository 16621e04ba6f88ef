package archtest

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

// oldWords are words of an earlier vocabulary, each with the word that is used for its meaning now. Several words of a term
// have a space in between.
var oldWords = map[string]string{
	"beats": "runs", "reign": "leadership", "sweep": "reconcile run", "swept": "reconciled", "hatch": "queue client",
	"hand-over": "dispatch", "handers": "concurrency", "tally": "outcomes", "standing": "protection", "estate": "orphaned project",
	"remnant": "orphaned project", "doubts": "unconfirmed losses", "patience": "timeout, grace or retry budget",
	"caution": "throttle reason", "fate": "expiry", "holding": "retention input", "deed": "action", "intervention": "operator command",
	"accept-losses": "confirm-lost", "household": "supervisor", "sight": "snapshot", "story": "scenario", "laws": "invariants",
	"witness": "evidence", "oracle": "reference model", "rooms": "packages", "quiet room": "pure package", "turned away": "rejected",
	"deposed": "lost leadership", "ailing": "failing", "hour of need": "emergency", "surroundings": "dependencies",
	"out of turn": "forced full", "tells whether": "reports whether",
}

func TestNoOldWordIsUsed(t *testing.T) {
	ends := []string{".go", ".md", ".sql", ".html", ".yml", ".yaml", ".golden", "Makefile"}
	for _, name := range ourFiles(t) {
		if name == "internal/archtest/words_test.go" || !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		number := 0
		for line := range strings.Lines(strings.ToLower(string(read(t, name)))) {
			number++
			words := " " + strings.Join(strings.FieldsFunc(line, isNoWord), " ") + " "
			for old, now := range oldWords {
				if strings.Contains(words, " "+old+" ") {
					assert.Fail(t, "an old word", "%s:%d: %q: say %q", name, number, old, now)
				}
			}
		}
	}
}

// isNoWord reports whether a character is between words; a hyphen joins two.
func isNoWord(r rune) bool { return !unicode.IsLetter(r) && r != '-' }
