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
	// Runs, leadership and the queue.
	"beat": "run", "beats": "runs", "reign": "leadership", "deposed": "lost leadership", "silencetime": "idle session timeout",
	"hand over": "dispatch", "hands over": "dispatches", "handed over": "dispatched", "hand-over": "dispatch", "handers": "concurrency",
	"tally": "outcomes", "hatch": "queue client", "letter": "message", "turned away": "rejected",
	"sweep": "reconcile run", "sweeps": "reconcile runs", "swept": "reconciled",
	"doubt": "unconfirmed loss", "doubts": "unconfirmed losses", "doubted": "unconfirmed", "believed": "confirmed",
	"accept-losses": "confirm-lost", "patience": "timeout, grace or retry budget", "pace": "throttle", "caution": "throttle reason",
	// Volumes, records and the database.
	"standing": "protection", "how it stands": "protection", "stands on": "depends on", "claim": "lease", "claims": "leases",
	"place": "slot, cursor or position", "fate": "expiry", "goes": "expires", "what goes": "expiring", "stays": "remains or is retained",
	"holding": "retention input", "keeping": "constraints", "out of turn": "forced full",
	"estate": "orphaned project", "remnant": "orphaned project", "a look": "a snapshot", "looks at": "reads or checks",
	"looked at": "read or checked", "retention looked": "retention run finished",
	// People and commands.
	"by hand": "manually", "deed": "action", "intervention": "operator command", "who must act": "action by", "must act on": "must take action on",
	"has to act": "must take action", "settles": "purges", "settled": "purged", "mend": "fix or check", "mends": "fixes",
	"ailing": "failing", "hour of need": "emergency", "whoever": "anyone who", "quiet room": "pure package",
	// Processes, pages and the demo.
	"surroundings": "dependencies", "boundaries": "packages or crash points", "the outside": "other programs", "glance": "overview",
	"crowd": "connection limiter", "sealed": "encrypted", "strip": "history", "tile": "summary card", "tiles": "summary cards",
	"sheet": "renderer", "paint": "colour", "busy": "in progress", "household": "supervisor", "sight": "snapshot", "story": "scenario",
	"world": "environment", "ledger": "audit buffer", "toldmore": "overflow",
	// Packages and tests.
	"laws": "invariants", "witness": "evidence", "oracle": "reference model", "office": "simulation", "verdict": "judgement",
	"house": "layout", "room": "package or capacity", "rooms": "packages", "a wall": "a rule", "door": "client",
	// Verbs.
	"answer": "response", "answers": "returns", "answered": "returned", "answering": "responding", "told": "reported", "tell": "report",
	"tells": "reports", "untold": "unreported", "says": "reports", "said": "reported", "tells whether": "reports whether",
}

func TestNoOldWordIsUsed(t *testing.T) {
	ends := []string{".go", ".md", ".sql", ".html", ".yml", ".yaml", ".golden", ".txt", "Makefile"}
	for _, name := range ourFiles(t) {
		for old, now := range oldWordsIn(name) {
			assert.Fail(t, "an old word in a file's name", "%s: %q: say %q", name, old, now)
		}
		if name == "internal/archtest/words_test.go" || !slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		number := 0
		for line := range strings.Lines(string(read(t, name))) {
			number++
			for old, now := range oldWordsIn(line) {
				assert.Fail(t, "an old word", "%s:%d: %q: say %q", name, number, old, now)
			}
		}
	}
}

func TestOldWordsAreFoundInFileNames(t *testing.T) {
	t.Parallel()
	for name, found := range map[string]int{"db/sweep_test.go": 1, "internal/laws/doc.go": 1, "db/turned_away.go": 1, "internal/history/doc.go": 0} {
		assert.Len(t, oldWordsIn(name), found, name)
	}
}

// oldWordsIn returns the old words in a text, each with its new word.
func oldWordsIn(text string) map[string]string {
	words := " " + strings.Join(strings.FieldsFunc(strings.ToLower(text), isNoWord), " ") + " "
	found := map[string]string{}
	for old, now := range oldWords {
		if strings.Contains(words, " "+old+" ") {
			found[old] = now
		}
	}
	return found
}

// isNoWord reports whether a character is between words; a hyphen joins two.
func isNoWord(r rune) bool { return !unicode.IsLetter(r) && r != '-' }
