package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
)

// statusView is protection at a glance.
type statusView struct {
	asOf

	LateAfter  int64          `json:"late_after_seconds" desc:"a protected volume is late when the data of its newest restore point is older"`
	Volumes    standingCounts `json:"volumes" desc:"how many volumes stand how"`
	Listed     []standingView `json:"listed_volumes" desc:"the late ones, the oldest restore point first; with --volumes all"`
	InProgress []busyView     `json:"in_progress" desc:"backups that are being made, the oldest first"`
	Removals   []busyView     `json:"removals" desc:"backups that are being removed, the oldest first"`
	Pauses     []pauseView    `json:"pauses" desc:"where the operator lets nothing new start"`
	Backlog    []backlogView  `json:"backlog" desc:"planned, waiting for a place under the caps; by project"`
	Leader     leaderView     `json:"leader" desc:"the scheduler that decides"`
	Failures   []failureView  `json:"failures" desc:"of each protected volume the newest failure since its last success"`
	Stuck      []busyView     `json:"stuck" desc:"backups that are overdue, or can't be removed"`
	Findings   []findingView  `json:"findings" desc:"what somebody should know, the newest first"`
}

type standingCounts struct {
	Protected   int `json:"protected" desc:"their newest restore point is young enough"`
	Late        int `json:"late" desc:"past the RPO"`
	Waiting     int `json:"waiting" desc:"for their first restore point"`
	Unprotected int `json:"unprotected" desc:"no server of theirs asks for backups"`
	Unknown     int `json:"unknown" desc:"the newest plan did not see enough to tell"`
	Gone        int `json:"gone" desc:"the volume is no more; its backups are kept by their retention"`
}

type standingView struct {
	object

	Standing     string     `json:"standing" desc:"protected, late, waiting, unprotected, unknown or gone"`
	RestorePoint *time.Time `json:"newest_restore_point_at" desc:"the time of its data"`
	Decision     reason     `json:"decision" desc:"of the newest plan"`
}

type pauseView struct {
	ProjectID   string    `json:"project_id" desc:"of the project; \"\": all projects"`
	ProjectName string    `json:"project_name" desc:"its name"`
	Since       time.Time `json:"since" desc:"when it began"`
	Who         string    `json:"who" desc:"who paused it"`
	Why         string    `json:"why" desc:"in their words"`
	Words       string    `json:"words" desc:"the same for people, and how it ends"`
}

type backlogView struct {
	ProjectID   string     `json:"project_id" desc:"of the project"`
	ProjectName string     `json:"project_name" desc:"its name"`
	Planned     int        `json:"planned" desc:"backups that wait"`
	Since       time.Time  `json:"since" desc:"when the oldest of them was planned"`
	OldestPoint *time.Time `json:"oldest_restore_point_at" desc:"of these volumes' newest restore points the oldest; null: one has none"`
}

type failureView struct {
	object

	At        time.Time `json:"at" desc:"when the attempt ended"`
	State     string    `json:"state" desc:"of the record"`
	Reason    reason    `json:"reason" desc:"why"`
	Text      string    `json:"text" desc:"in full: Cinder's words"`
	RequestID string    `json:"request_id" desc:"of the request, in Cinder's log"`
}

type findingView struct {
	Reason    reason    `json:"reason" desc:"what was found"`
	ProjectID string    `json:"project_id" desc:"of the project it is about"`
	Object    string    `json:"object" desc:"ID of the server, volume, project or backup it is about"`
	Detail    string    `json:"detail" desc:"what was seen"`
	Since     time.Time `json:"since" desc:"when it was seen first"`
}

func statusCommand() *cobra.Command {
	var volumes bool
	c := &cobra.Command{
		Use: "status", Short: "Shows protection at a glance: what is late, what runs, what waits, what failed and who must act.",
		Long:    "The tables show the first ten of each; --json has them all.",
		Example: "  staffeln status\n  staffeln status --volumes\n  staffeln status --json | jq .volumes.late", Args: noArguments,
	}
	c.Flags().BoolVar(&volumes, "volumes", false, "list every volume and how it stands")
	return showCommand(c, statusView{}, func(ctx context.Context, l *db.Look, set backup.Settings, _ []string) (view, error) {
		listed := []string{db.Late}
		if volumes {
			listed = db.Standings
		}
		return lookStatus(ctx, l, set, listed)
	})
}

func lookStatus(ctx context.Context, l *db.Look, set backup.Settings, listed []string) (view, error) {
	late := set.Late()
	counts, err := l.Counts(ctx, late)
	if err != nil {
		return nil, err
	}
	v := statusView{LateAfter: int64(late / time.Second), Volumes: standingCounts{
		counts[db.Protected], counts[db.Late], counts[db.Waiting], counts[db.Unprotected], counts[db.Unknown], counts[db.Gone],
	}}
	head, leader, err := lookHead(ctx, l, set)
	if err != nil {
		return nil, err
	}
	v.asOf = head
	v.Leader, _ = leading(l.Now, leader, set)
	standing, err := l.Standing(ctx, late, listed...)
	if err != nil {
		return nil, err
	}
	v.Listed = each(standing, func(s db.Standing) standingView {
		return standingView{
			object{s.ID, s.Name, s.ServerID, s.ServerName, s.ProjectID, s.ProjectName}, s.Standing, s.NewestAt, reasonOf(s.Reason),
		}
	})
	return v.lookAtRecords(ctx, l)
}

func (v statusView) lookAtRecords(ctx context.Context, l *db.Look) (view, error) {
	paused, err := l.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	v.Pauses = []pauseView{}
	for _, p := range paused {
		of, err := projectOf(ctx, l, p.ProjectID)
		if err != nil {
			return nil, err
		}
		v.Pauses = append(v.Pauses, pauseView{p.ProjectID, of.Name, p.Since, p.Who, p.Why, pausedWords(p, of)})
	}
	busy, err := l.Busy(ctx)
	if err != nil {
		return nil, err
	}
	v.InProgress, v.Removals, v.Stuck = sortBusy(busy)
	backlog, err := l.Backlog(ctx)
	if err != nil {
		return nil, err
	}
	v.Backlog = each(backlog, func(b db.Backlog) backlogView {
		return backlogView{b.ProjectID, b.ProjectName, b.Records, b.Since, b.OldestPointAt}
	})
	failures, err := l.Failures(ctx)
	if err != nil {
		return nil, err
	}
	v.Failures = each(failures, failureOf)
	findings, err := l.Findings(ctx)
	v.Findings = each(findings, func(f db.KeptFinding) findingView {
		return findingView{reasonOf(f.Reason), f.ProjectID, f.Object, f.Detail, f.Since}
	})
	return v, err
}

func failureOf(r backup.Record) failureView {
	at := r.ChangedAt
	if r.EndedAt != nil && r.State != backup.Lost {
		at = *r.EndedAt
	}
	return failureView{objectOf(r), at, string(r.State), reasonOf(r.Reason), r.ReasonText, r.RequestID}
}

// each turns all of one kind into another; never nil, so that JSON has an empty list.
func each[A, B any](all []A, turn func(A) B) []B {
	turned := make([]B, 0, len(all))
	for _, a := range all {
		turned = append(turned, turn(a))
	}
	return turned
}

// plural counts things.
func plural(n int, one, many string) string {
	return fmt.Sprintf("%d %s", n, cmp.Or(map[bool]string{true: one}[n == 1], many))
}
