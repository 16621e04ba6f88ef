package view

import (
	"time"

	"staffeln/backup"
)

// Failure is an attempt that failed, or a restore point that was lost.
type Failure struct {
	Object

	At        time.Time `json:"at" desc:"when the attempt ended"`
	State     string    `json:"state" desc:"failed, or lost"`
	Reason    Reason    `json:"reason" desc:"why"`
	Text      string    `json:"text" desc:"in full: Cinder's words"`
	RequestID string    `json:"request_id" desc:"of the request, in Cinder's log"`
	Leftover  *Leftover `json:"leftover" desc:"what became of what it left in Cinder; null: it did not fail, it was lost"`
}

// FailureOf returns the view of a record that failed or was lost.
func FailureOf(r backup.Record) Failure {
	at := r.ChangedAt
	if r.EndedAt != nil && r.State != backup.Lost {
		at = *r.EndedAt
	}
	return Failure{ObjectOf(r), at.UTC(), string(r.Outcome()), ReasonOf(r.Reason), r.ReasonText, r.RequestID, leftoverOf(r)}
}

// Leftover is what became of what a failed attempt left in Cinder.
type Leftover struct {
	Status   backup.LeftoverStatus `json:"status" desc:"none, in_cinder, being_removed, removed or undeletable"`
	Sentence string                `json:"sentence" desc:"the same for people"`
	Reason   Reason                `json:"reason" desc:"why it can't be removed"`
	Text     string                `json:"text" desc:"in full: Cinder's words about the removal"`
}

func leftoverOf(r backup.Record) *Leftover {
	status := r.LeftoverStatus()
	if status == "" {
		return nil
	}
	l := &Leftover{Status: status, Sentence: status.Sentence(), Reason: ReasonOf(""), Text: r.RemovalText}
	if status == backup.LeftoverUndeletable || r.RemovalText != "" {
		l.Reason = ReasonOf(r.RemovalReason)
	}
	return l
}

// Words returns what became of it, and who must take action, if anybody.
func (l *Leftover) Words() string {
	if l == nil {
		return ""
	}
	if l.Reason.Code == "" {
		return l.Sentence
	}
	return l.Sentence + " " + l.Reason.Words()
}
