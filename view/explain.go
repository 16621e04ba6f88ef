package view

import (
	"context"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// Explanation is everything known, decided and expected about one volume.
type Explanation struct {
	AsOf
	Object

	AttachedID   string `json:"attached_server_id" desc:"of the server that it is attached to, also one that does not ask for backups; \"\": none"`
	AttachedName string `json:"attached_server_name" desc:"its name"`

	Zone      string     `json:"zone" desc:"availability zone"`
	Status    string     `json:"status" desc:"Cinder's status of it, as the newest plan that saw it read it"`
	SizeGiB   int        `json:"size_gib" desc:"its size"`
	Encrypted bool       `json:"encrypted" desc:"by Barbican"`
	SeenAt    time.Time  `json:"seen_at" desc:"the newest plan that saw it"`
	GoneAt    *time.Time `json:"gone_at" desc:"the plan that got a 404 for its ID from Cinder; null: it exists"`
	VolumeProtection
	LateAfter int64      `json:"late_after_seconds" desc:"a protected volume is late when the data of its newest restore point is older, or when it is protected for longer and has none"`
	Policy    []Part     `json:"policy" desc:"the effective policy, and where each part comes from"`
	Chains    []Chain    `json:"chains" desc:"what Cinder has by our records, the oldest first"`
	Last      *Decision  `json:"last_decision" desc:"of the newest plan that decided; null: none did"`
	Now       Next       `json:"now" desc:"what a plan would decide now"`
	Ahead     *Ahead     `json:"ahead" desc:"the first later plan that will ask for something by time alone; null: time alone changes nothing"`
	WaitsFor  []Wait     `json:"waits_for" desc:"what the volume waits for, the most important first"`
	Failure   *Failure   `json:"failure" desc:"the newest one since the last success"`
	Links     int        `json:"links" desc:"how many links there are in all chains, also in those that are not listed"`
	Expiring  []Expiring `json:"expiring" desc:"what will expire first, when and why, if no further backup is made; with a page of chains at most as many as the page has links"`
	Restore   *Restore   `json:"restore" desc:"how its newest restore point is restored; null: there is none"`
	Findings  []Finding  `json:"findings" desc:"about the volume or its server; for an unprotected volume also about servers of its project whose backup metadata can't be read"`

	progress *backup.Record // the backup in progress
	unseen   bool           // by the newest plan: the previous decision remains
	older    bool           // there are chains before the listed ones
	newer    bool           // there are chains after them
}

// Decision is what a plan decided.
type Decision struct {
	At     time.Time  `json:"at" desc:"when it was decided"`
	Action string     `json:"action" desc:"create, wait, fail or withdraw"`
	Reason Reason     `json:"reason" desc:"why"`
	Until  *time.Time `json:"until" desc:"when time alone may change it"`
}

// Next is what a plan would decide.
type Next struct {
	Action string     `json:"action" desc:"create, wait, fail or withdraw"`
	Kind   string     `json:"kind" desc:"full or incremental, where one is made"`
	Reason Reason     `json:"reason" desc:"why"`
	At     *time.Time `json:"at" desc:"when it happens, or when time alone may change it; null: at the next event"`
}

// Ahead is what a later plan will decide.
type Ahead struct {
	At       time.Time `json:"at" desc:"the plan that will ask for it"`
	Action   string    `json:"action" desc:"create or fail"`
	Kind     string    `json:"kind" desc:"full or incremental, where one is made"`
	Reason   Reason    `json:"reason" desc:"why"`
	EndsWell bool      `json:"if_progress_ends_well" desc:"on the assumption that the backup in progress becomes a restore point"`
}

// Explanation returns the explanation of a volume. A project's reader does not find the volumes of other projects.
func (r Reader) Explanation(ctx context.Context, l *db.Snapshot, volume db.Volume, wanted Stretch) (*Explanation, error) {
	if r.mayNotSee(volume.ProjectID) {
		return nil, db.ErrUnknownVolume
	}
	set := r.Settings
	metadata, _, err := r.Metadata(ctx, l)
	if err != nil {
		return nil, err
	}
	protection, err := l.ProtectionOf(ctx, set.RPO(), r.Project, volume.ID)
	if err != nil {
		return nil, err
	}
	decisive, err := l.Decisive(ctx, volume.ID)
	if err != nil {
		return nil, err
	}
	held, err := r.held(ctx, l, volume, wanted)
	if err != nil {
		return nil, err
	}
	failures, err := l.Failures(ctx, volume.ID)
	if err != nil {
		return nil, err
	}
	findings, err := l.FindingsAbout(ctx, r.Project, named(volume.ID, volume.ServerID), backup.BackupMetadataUnreadable)
	if err != nil {
		return nil, err
	}
	v := &Explanation{
		AsOf: metadata, Object: ObjectOfVolume(volume),
		AttachedID: volume.AttachedID, AttachedName: volume.AttachedName, Zone: volume.Zone, Status: volume.Status, SizeGiB: volume.SizeGiB, Encrypted: volume.Encrypted, SeenAt: volume.SeenAt, GoneAt: volume.GoneAt,
		VolumeProtection: r.protectionOf(protection), LateAfter: int64(set.RPO().Of(protection.Usual) / time.Second),
		unseen: protection.Reason == backup.NotSeen,
		Policy: policy{set, r.Given, r.Project != ""}.of(volume, metadata.At), Findings: []Finding{},
	}
	paused, err := l.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	freed, err := l.QuotaFreed(ctx, []string{volume.ProjectID})
	if err != nil {
		return nil, err
	}
	v.decide(r, volume, volume.Subject(paused).Freed(freed), decisive)
	waits, err := r.RemovalWaits(ctx, l)
	if err != nil {
		return nil, err
	}
	v.addChains(held, wanted, volume, waits)
	if len(failures) > 0 {
		v.Failure = new(FailureOf(failures[0]))
	}
	v.WaitsFor = v.waiting(r, volume, r.pauseOf(paused, volume.ProjectID), held.Records)
	for _, f := range findings {
		if v.Names(f.Object) || v.Names(f.VolumeID) || v.mayConcern(f) {
			v.Findings = append(v.Findings, FindingOf(f))
		}
	}
	return v, ctx.Err()
}

// named returns the IDs that are not empty.
func named(ids ...string) []string {
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" })
}

// Unseen reports whether the newest plan could not read enough about the volume to decide: the previous decision remains.
func (v *Explanation) Unseen() bool { return v.unseen }

// Attached returns the name of the server that the volume is attached to, or its ID; empty: none.
func (v *Explanation) Attached() string { return Or(v.AttachedName, v.AttachedID) }

// Names reports whether id is the ID of the volume or its server.
func (v *Explanation) Names(id string) bool {
	return id != "" && slices.Contains([]string{v.VolumeID, v.ServerID}, id)
}

// mayConcern reports whether a finding may be why the volume is not protected: the servers that it is attached to without
// asking for backups are not recorded.
func (v *Explanation) mayConcern(f db.KeptFinding) bool {
	return v.Protection == backup.Unprotected && v.Status != "available" && f.Reason == backup.BackupMetadataUnreadable && f.ProjectID == v.ProjectID
}

// decide adds what was decided, what would be decided now, and what will be decided later.
func (v *Explanation) decide(r Reader, volume db.Volume, subject backup.Subject, records []backup.Record) {
	if i := slices.IndexFunc(records, func(o backup.Record) bool { return o.State.InProgress() && !r.mayNotSee(o.ProjectID) }); i >= 0 {
		v.progress = &records[i]
	}
	if volume.DecidedAt != nil {
		v.Last = &Decision{*volume.DecidedAt, string(volume.Action), ReasonOf(volume.Reason), volume.DecisionUntil}
	}
	if v.unseen { // a plan would leave it unchanged
		v.Now = Next{Action: string(backup.Wait), Reason: ReasonOf(backup.NotSeen)}
		return
	}
	d, ahead := backup.Ahead(v.At, r.Settings.Policy(), subject, records)
	v.Now = Next{Action: string(d.Action), Kind: string(d.Kind), Reason: ReasonOf(d.Reason)}
	switch {
	case !d.At.IsZero():
		v.Now.At = &d.At
	case d.Action != backup.Wait:
		v.Now.At = &v.NextPlanAt
	}
	if ahead != nil {
		v.Ahead = &Ahead{ahead.ScheduledFor, string(ahead.Action), string(ahead.Kind), ReasonOf(ahead.Reason), ahead.EndsWell}
	}
}

// nextPlan returns the next grid time of the plan, or the current one if its plan has not run yet.
func nextPlan(a AsOf, period time.Duration) time.Time { return NextRun(a.At, a.PlannedAt, period) }

// NextRun returns the next grid time of a run, or the current one if that run has not come yet.
func NextRun(now time.Time, last *time.Time, period time.Duration) time.Time {
	gridTime := backup.Grid(now, period)
	if last != nil && !last.Before(gridTime) {
		return gridTime.Add(period)
	}
	return gridTime
}
