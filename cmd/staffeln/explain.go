package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
)

// explainView is all that is known, decided and to be expected of one volume.
type explainView struct {
	asOf
	object

	Zone         string        `json:"zone" desc:"availability zone"`
	Status       string        `json:"status" desc:"Cinder's word, as the newest plan that saw it read it"`
	SizeGiB      int           `json:"size_gib" desc:"its size"`
	Encrypted    bool          `json:"encrypted" desc:"by Barbican"`
	SeenAt       time.Time     `json:"seen_at" desc:"the newest plan that saw it"`
	GoneAt       *time.Time    `json:"gone_at" desc:"when two plans in a row had missed it"`
	Standing     string        `json:"standing" desc:"protected, late, waiting, unprotected, unknown or gone"`
	RestorePoint *time.Time    `json:"newest_restore_point_at" desc:"the time of its data"`
	LateAfter    int64         `json:"late_after_seconds" desc:"a protected volume is late when its newest restore point is older"`
	Policy       []policyPart  `json:"policy" desc:"the effective policy, and where each part comes from"`
	Chains       []chainView   `json:"chains" desc:"what our records say that Cinder holds, the oldest first"`
	Last         *lastDecision `json:"last_decision" desc:"of the newest plan that decided; null: none did"`
	Now          nextView      `json:"now" desc:"what a plan would decide now"`
	Ahead        *aheadView    `json:"ahead" desc:"the first later plan that will ask for something by time alone; null: time alone changes nothing"`
	WaitsFor     []string      `json:"waits_for" desc:"what is waited for, for people"`
	Failure      *failureView  `json:"failure" desc:"the newest one since the last success"`
	Going        []goingView   `json:"going" desc:"what will go, when and why, if no further backup is made"`
	Findings     []findingView `json:"findings" desc:"about the volume or its server; of one that is not protected also about servers of its project whose wish can't be read"`

	progress *backup.Record // the backup in progress
	unseen   bool           // by the newest plan: the decision before stands
}

type lastDecision struct {
	At     time.Time  `json:"at" desc:"when it was decided"`
	Action string     `json:"action" desc:"create, wait, fail or withdraw"`
	Reason reason     `json:"reason" desc:"why"`
	Until  *time.Time `json:"until" desc:"when time alone may change it"`
}

type nextView struct {
	Action string     `json:"action" desc:"create, wait, fail or withdraw"`
	Kind   string     `json:"kind" desc:"full or incremental, where one is made"`
	Reason reason     `json:"reason" desc:"why"`
	At     *time.Time `json:"at" desc:"when it happens, or when time alone may change it; null: at the next event"`
}

type aheadView struct {
	At       time.Time `json:"at" desc:"the plan that will ask for it"`
	Action   string    `json:"action" desc:"create or fail"`
	Kind     string    `json:"kind" desc:"full or incremental, where one is made"`
	Reason   reason    `json:"reason" desc:"why"`
	EndsWell bool      `json:"if_progress_ends_well" desc:"on the assumption that the backup in progress becomes a restore point"`
}

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "explain VOLUME", Short: "Explains one volume, by ID or unique name: its policy, its chains, why it is backed up or not, and what comes next.",
		Long: "A chain is drawn as F─I─I: F is a full, I an incremental on what stands left of it; [ ] are under the floor, ~ is\n" +
			"being made or removed, ! failed or can't be removed, ? was taken away by somebody else. Times are UTC.",
		Example:           "  staffeln explain data\n  staffeln explain 3b1c0f0e-8d6e-4c39-a6f5-6f2f6f1d2a10 --json | jq .ahead",
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("read arguments: %d: want one VOLUME, by ID or name; `staffeln status --volumes` lists them", len(args))}
			}
			return nil
		},
	}
	return showCommand(c, new(explainView), func(ctx context.Context, l *db.Look, set backup.Settings, args []string) (view, error) {
		v, err := l.Volume(ctx, args[0])
		if several := new(db.AmbiguousError); errors.As(err, several) {
			return nil, fmt.Errorf("explain volume %s: %w: give the ID; `staffeln status --volumes --json` lists them", args[0], err)
		}
		if errors.Is(err, db.ErrUnknownVolume) {
			return nil, fmt.Errorf("explain volume %s: %w: `staffeln status --volumes` lists those that there are", args[0], err)
		}
		if err != nil {
			return nil, err
		}
		return lookExplain(ctx, l, set, v)
	})
}

func lookExplain(ctx context.Context, l *db.Look, set backup.Settings, volume db.Volume) (view, error) {
	head, _, err := lookHead(ctx, l, set)
	if err != nil {
		return nil, err
	}
	stands, err := l.StandingOf(ctx, set.Late(), volume.ID)
	if err != nil {
		return nil, err
	}
	decisive, err := l.Decisive(ctx, volume.ID)
	if err != nil {
		return nil, err
	}
	held, err := l.Held(ctx, []string{volume.ID})
	if err != nil {
		return nil, err
	}
	failures, err := l.Failures(ctx, volume.ID)
	if err != nil {
		return nil, err
	}
	findings, err := l.Findings(ctx)
	if err != nil {
		return nil, err
	}
	v := &explainView{
		asOf: head, object: object{volume.ID, volume.Name, volume.ServerID, volume.ServerName, volume.ProjectID, volume.ProjectName},
		Zone: volume.Zone, Status: volume.Status, SizeGiB: volume.SizeGiB, Encrypted: volume.Encrypted, SeenAt: volume.SeenAt, GoneAt: volume.GoneAt,
		Standing: stands.Standing, RestorePoint: stands.NewestAt, LateAfter: int64(set.Late() / time.Second),
		unseen: stands.Reason == backup.NotSeen,
		Policy: policyOf(set, volume), Findings: []findingView{},
	}
	paused, err := l.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	v.decide(set, volume, paused, decisive)
	v.hold(holdingOf(set, volume, held[volume.ID]))
	if len(failures) > 0 {
		v.Failure = new(failureOf(failures[0]))
	}
	v.WaitsFor = v.waiting(set, volume, paused.Of(volume.ProjectID), held[volume.ID])
	for _, f := range findings {
		if v.names(f.Object) || v.names(f.VolumeID) || v.perhaps(f) {
			v.Findings = append(v.Findings, findingView{reasonOf(f.Reason), f.ProjectID, f.Object, f.Detail, f.Since})
		}
	}
	return v, nil
}

// names tells whether id is that of the volume or its server.
func (v *explainView) names(id string) bool {
	return id != "" && slices.Contains([]string{v.VolumeID, v.ServerID}, id)
}

// perhaps tells whether a finding may be why the volume is not protected: nobody remembers which servers it is attached
// to that don't ask for backups.
func (v *explainView) perhaps(f db.KeptFinding) bool {
	return v.Standing == db.Unprotected && v.Status != "available" && f.Reason == backup.BackupMetadataUnreadable && f.ProjectID == v.ProjectID
}

// decide tells what was decided, what would be now, and what will be.
func (v *explainView) decide(set backup.Settings, volume db.Volume, paused db.Pauses, records []backup.Record) {
	if i := slices.IndexFunc(records, func(r backup.Record) bool { return r.State.InProgress() }); i >= 0 {
		v.progress = &records[i]
	}
	if volume.DecidedAt != nil {
		v.Last = &lastDecision{*volume.DecidedAt, string(volume.Action), reasonOf(volume.Reason), volume.DecisionUntil}
	}
	if v.unseen { // a plan would leave it as it is
		v.Now = nextView{Action: string(backup.Wait), Reason: reasonOf(backup.NotSeen)}
		return
	}
	d, ahead := backup.Ahead(v.At, set.Policy(), volume.Subject(paused), records)
	v.Now = nextView{Action: string(d.Action), Kind: string(d.Kind), Reason: reasonOf(d.Reason)}
	switch {
	case !d.At.IsZero():
		v.Now.At = &d.At
	case d.Action != backup.Wait:
		v.Now.At = new(nextPlan(v.asOf, set.BackupServicePeriod.Std()))
	}
	if ahead != nil {
		v.Ahead = &aheadView{ahead.Beat, string(ahead.Action), string(ahead.Kind), reasonOf(ahead.Reason), ahead.EndsWell}
	}
}

// nextPlan is the next beat of the grid, or the present one where its plan has not come yet.
func nextPlan(a asOf, period time.Duration) time.Time {
	beat := backup.Grid(a.At, period)
	if a.PlannedAt != nil && !a.PlannedAt.Before(beat) {
		return beat.Add(period)
	}
	return beat
}
