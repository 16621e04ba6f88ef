package tasks

import (
	"fmt"
	"strings"
)

// An Outcome is the result for one item of a dispatch run.
type Outcome string

// The outcomes of a dispatch run.
const (
	Enqueued Outcome = "enqueued" // a new task
	Waiting  Outcome = "waiting"  // the volume's task is pending, active, or waits for its retry: it will run
	Replaced Outcome = "replaced" // a waiting task for something else was deleted first
	Revived  Outcome = "revived"  // an archived or completed task was deleted first
	Bypassed Outcome = "bypassed" // an active task whose lease expired was bypassed, under another ID
	Unknown  Outcome = "unknown"  // no response: it may or may not be in the queue; the next dispatch run finds out
	NotSent  Outcome = "not_sent" // not sent, since Redis did not respond for other items or the time was over
)

var outcomes = []Outcome{Enqueued, Waiting, Replaced, Revived, Bypassed, Unknown, NotSent}

// Outcomes is how many items of a dispatch run had each outcome.
type Outcomes map[Outcome]int

// Total returns the number of items.
func (t Outcomes) Total() int {
	total := 0
	for _, n := range t {
		total += n
	}
	return total
}

// String returns the outcomes that are not zero, as `enqueued 3, waiting 12`.
func (t Outcomes) String() string {
	var parts []string
	for _, outcome := range outcomes {
		if n := t[outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", outcome, n))
		}
	}
	return strings.Join(parts, ", ")
}
