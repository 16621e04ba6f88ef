package scheduler

import (
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// planner decides for one volume after the other and collects the results.
type planner struct {
	now, scheduledFor time.Time
	settings          backup.Settings
	policy            backup.Policy
	paused            db.Pauses
	projectGone       map[string]bool      // by project; one of which it is not known is not in it
	quotaFreed        map[string]time.Time // by project
	freeQuota         map[string]int       // GiB, by project
	decided           map[string]bool
	records           []backup.Record
	withdrawIDs       []string
	withdrawReasons   []backup.Reason
	decisions         map[decisionCode]int
	protections       map[backup.Protection]int // volumes
	wanted            int                       // volumes that are to be backed up, also those that the plan could not check
	unknown           int
}

type decisionCode struct {
	action backup.Action
	reason backup.Reason
}

func newPlanner(now time.Time, set backup.Settings) *planner {
	return &planner{
		now: now, scheduledFor: backup.Grid(now, set.BackupServicePeriod.Std()), settings: set, policy: set.Policy(),
		decided: map[string]bool{}, decisions: map[decisionCode]int{},
		protections: map[backup.Protection]int{},
	}
}

func (p *planner) decide(v *db.Volume, records []backup.Record) {
	p.decided[v.ID] = true
	point := backup.NewestPoint(v.ProjectID, records)
	p.protections[p.protection(v, point)]++
	if v.Protected {
		p.wanted++
	}
	if v.Unknown {
		p.unknown++
		if !v.Protected || !v.SeenAt.Equal(p.now) {
			return // neither wanted nor unwanted: the previous decision is kept
		}
	}
	subject := v.Subject(p.paused).Freed(p.quotaFreed)
	if freeGiB, known := p.freeQuota[v.ProjectID]; known && v.SizeGiB <= freeGiB {
		subject.QuotaFreed = &p.now
	}
	if gone, known := p.projectGone[v.ProjectID]; known {
		subject.ProjectGone = gone
	}
	d := backup.Next(p.now, p.policy, subject, records)
	v.Action, v.Reason, v.DecidedAt, v.DecisionUntil = d.Action, d.Reason, &p.now, nil
	if !d.At.IsZero() {
		v.DecisionUntil = &d.At
	}
	p.decisions[decisionCode{d.Action, d.Reason}]++
	switch d.Action {
	case backup.Withdraw:
		for _, r := range records {
			if r.State == backup.Planned {
				p.withdrawIDs, p.withdrawReasons = append(p.withdrawIDs, r.ID), append(p.withdrawReasons, d.Reason)
			}
		}
	case backup.Create:
		p.records = append(p.records, p.record(v, backup.Planned, d, point))
	case backup.Fail:
		r := p.record(v, backup.Failed, d, point)
		r.Kind, r.ReasonText = backup.Full, v.AsOf().Refusal()
		p.records = append(p.records, r)
	case backup.Wait:
	}
}

func (p *planner) record(v *db.Volume, state backup.State, d backup.Decision, point *time.Time) backup.Record {
	return backup.Record{
		ProjectID: v.ProjectID, ProjectName: v.ProjectName, ServerID: v.ServerID, ServerName: v.ServerName,
		VolumeID: v.ID, VolumeName: v.Name, Zone: v.Zone, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted,
		State: state, Kind: d.Kind, ForcedFull: d.ForcedFull, Retention: v.Retention.InForce,
		PlannedAt: p.scheduledFor, LastPointAt: point, Reason: d.Reason,
	}
}

// protection returns the protection of the volume, as far as this plan can see.
func (p *planner) protection(v *db.Volume, newestPoint *time.Time) backup.Protection {
	return backup.ProtectionFacts{
		Gone: v.GoneAt != nil, Wanted: v.Protected, Unseen: v.Unknown, HasPoint: newestPoint != nil,
		PastRPO: backup.PastRPO(p.now, p.settings.RPO().Of(v.Usual), newestPoint, v.ProtectedSince),
	}.Protection()
}
