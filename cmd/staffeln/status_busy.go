package main

import (
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// busyView is one backup that something is being done for.
type busyView struct {
	object

	Kind     string     `json:"kind" desc:"full or incremental"`
	State    string     `json:"state" desc:"of the record"`
	SizeGiB  int        `json:"size_gib" desc:"of the volume"`
	BackupID string     `json:"backup_id" desc:"Cinder's; \"\" before its answer"`
	Since    *time.Time `json:"since" desc:"when Cinder was asked, or else when the caps let it through"`
	Deadline *time.Time `json:"deadline" desc:"past it, a backup that is being made is overdue"`
	NextTry  *time.Time `json:"next_try_at" desc:"nothing is tried before"`
	Reason   reason     `json:"reason" desc:"what keeps it, where something does"`
	Text     string     `json:"text" desc:"in full: Cinder's words"`
}

func busyOf(r backup.Record) busyView {
	v := busyView{
		object: objectOf(r), Kind: string(r.Kind), State: string(r.State), SizeGiB: r.SizeGiB, BackupID: r.BackupID,
		Since: r.RequestedAt, Deadline: r.Deadline, NextTry: r.NextTryAt, Reason: reasonOf(r.Reason), Text: r.ReasonText,
	}
	switch r.State {
	case backup.Planned:
		v.Since = r.AdmittedAt
		v.Reason, v.Text = reason{MustAct: backup.Nobody}, "" // its reason says why it was planned
	case backup.Deleting, backup.Undeletable:
		v.Since, v.Deadline, v.Reason, v.Text = r.DeletionAskedAt, nil, reasonOf(r.RemovalReason), r.RemovalText
	case backup.Creating, backup.Overdue, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
	}
	return v
}

// sortBusy parts what is being made, what is being removed, and what somebody must look at; overdue is in two of them.
func sortBusy(records []backup.Record) (making, removing, stuck []busyView) {
	making, removing, stuck = []busyView{}, []busyView{}, []busyView{}
	for _, r := range records {
		v := busyOf(r)
		switch r.State {
		case backup.Deleting:
			removing = append(removing, v)
		case backup.Undeletable:
			stuck = append(stuck, v)
		case backup.Overdue:
			making, stuck = append(making, v), append(stuck, v)
		case backup.Planned, backup.Creating, backup.Available, backup.Deleted, backup.Withdrawn, backup.Failed, backup.Lost:
			making = append(making, v)
		}
	}
	return making, removing, stuck
}

// leaderView is the scheduler that leads, and its newest beats.
type leaderView struct {
	Name  string     `json:"name" desc:"host and process of the one that leads, or that led last"`
	Leads bool       `json:"leads" desc:"whether any scheduler leads now"`
	Term  int64      `json:"term" desc:"number of its reign"`
	Since *time.Time `json:"since" desc:"when it began"`
	Beats []beatView `json:"beats" desc:"plan, hand_over, retention and sweep"`
}

type beatView struct {
	Name   string     `json:"name" desc:"which one"`
	At     *time.Time `json:"at" desc:"the newest; null: never"`
	Period int64      `json:"period_seconds" desc:"how often it should come"`
	Late   bool       `json:"late" desc:"it is older than two periods"`
}

// leading tells who leads and how old the newest beats are, and warns of what is not as it should be.
func leading(now time.Time, l db.Leader, set backup.Settings) (leaderView, []string) {
	v, warnings := leaderView{Name: l.Leader, Leads: l.Leads, Term: l.Term, Since: l.Since}, []string{}
	if !l.Leads {
		warnings = append(warnings, "No scheduler leads now: nothing is planned, handed over or removed. Start one: `staffeln scheduler`.")
	}
	for _, b := range []struct {
		name, says string
		at         *time.Time
		period     backup.Duration
	}{
		{"plan", "its log says whether it can reach Keystone, Nova and Cinder", l.PlannedBeat, set.BackupServicePeriod},
		{"hand_over", "its log says whether it can reach Redis", l.HandedOverAt, set.PollPeriod},
		{"retention", "its log says why", l.RetentionBeat, set.RetentionServicePeriod},
		{"sweep", "its log says whether it can list Cinder's backups", l.SweepBeat, set.SweepPeriod},
	} {
		beat := beatView{Name: b.name, At: b.at, Period: int64(b.period.Std() / time.Second)}
		// of a reign that has only begun nothing can be late
		since := b.at
		if since == nil {
			since = l.Since
		}
		beat.Late = since != nil && now.Sub(*since) > 2*b.period.Std()
		if beat.Late {
			age := "there was none"
			if b.at != nil {
				age = "the newest is " + span(now.Sub(*b.at)) + " old"
			}
			warnings = append(warnings, "The beat "+b.name+" should come every "+b.period.String()+", and "+age+": look at the scheduler; "+b.says+".")
		}
		v.Beats = append(v.Beats, beat)
	}
	return v, warnings
}
