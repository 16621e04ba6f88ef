package tasks

import (
	"fmt"
	"strings"
)

// An Outcome says what became of one item of a dispatch run.
type Outcome string

// The outcomes of a dispatch run.
const (
	Enqueued Outcome = "enqueued" // a new task
	Waiting  Outcome = "waiting"  // the volume's task is pending, active, or waits for its retry: it will come
	Replaced Outcome = "replaced" // a waiting task for something else made room
	Revived  Outcome = "revived"  // an archived or completed task made room
	Passed   Outcome = "passed"   // an active task whose lease ran out was passed by, under another ID
	Unknown  Outcome = "unknown"  // no answer: it may be in the queue or not; the next dispatch run tells
	Unasked  Outcome = "unasked"  // not asked for, since Redis did not answer for others or the time was over
)

var outcomes = []Outcome{Enqueued, Waiting, Replaced, Revived, Passed, Unknown, Unasked}

// Outcomes is how many items of a dispatch run had each outcome.
type Outcomes map[Outcome]int

// Total is the number of items.
func (t Outcomes) Total() int {
	total := 0
	for _, n := range t {
		total += n
	}
	return total
}

// String writes the outcomes that there are, as `enqueued 3, waiting 12`.
func (t Outcomes) String() string {
	var parts []string
	for _, outcome := range outcomes {
		if n := t[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", outcome, n))
		}
	}
	return strings.Join(parts, ", ")
}
