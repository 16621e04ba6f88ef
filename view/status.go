package view

import (
	"context"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// Status is an overview of the protection.
type Status struct {
	AsOf

	LateAfter  int64          `json:"late_after_seconds" desc:"a protected volume is late when the data of its newest restore point is older than this plus what a backup of it usually takes, or when it is protected for longer and has none; STAFFELN_RPO_GRACE has the upper bound"`
	Volumes    Counts         `json:"volumes" desc:"how many volumes have which protection"`
	Day        Outcomes       `json:"day" desc:"the attempts that ended in the last 24 hours"`
	Month      Outcomes       `json:"month" desc:"the attempts that ended today and in the 29 days before, by UTC"`
	Listed     []ListedVolume `json:"listed_volumes" desc:"the late ones, the oldest restore point first; with --volumes all"`
	InProgress []InProgress   `json:"in_progress" desc:"backups that are being made, the oldest first"`
	Removals   []InProgress   `json:"removals" desc:"backups that are being removed, the oldest first"`
	Pauses     []Pause        `json:"pauses" desc:"the operator's pauses, during which nothing new starts"`
	Backlog    []Backlog      `json:"backlog" desc:"planned backups that wait under the caps, by project"`
	Leader     Leader         `json:"leader" desc:"the scheduler that decides"`
	Processes  []Process      `json:"processes" desc:"schedulers and workers; for operators only"`
	Failures   []Failure      `json:"failures" desc:"of each protected volume the newest failure since its last success"`
	Stuck      []InProgress   `json:"stuck" desc:"backups that are overdue, or can't be removed"`
	Findings   []Finding      `json:"findings" desc:"what needs attention, the newest first"`

	moreFailures, moreFindings bool // than the reader is shown
}

// MoreFailures reports whether there are more failures than the reader is shown.
func (v Status) MoreFailures() bool { return v.moreFailures }

// MoreFindings reports whether there are more findings than the reader is shown.
func (v Status) MoreFindings() bool { return v.moreFindings }

// Counts are the numbers of volumes by protection.
type Counts struct {
	Protected   int `json:"protected" desc:"backed up in time"`
	Late        int `json:"late" desc:"past the RPO"`
	Waiting     int `json:"waiting" desc:"for their first restore point"`
	Unprotected int `json:"unprotected" desc:"no server of theirs asks for backups"`
	Unknown     int `json:"unknown" desc:"Staffeln could not read the cloud completely"`
	Gone        int `json:"gone" desc:"the volume no longer exists; backups that are left of it are kept by their retention"`
}

func countsOf(n map[backup.Protection]int) Counts {
	return Counts{n[backup.Protected], n[backup.Late], n[backup.Waiting], n[backup.Unprotected], n[backup.Unknown], n[backup.Gone]}
}

// Of returns the number of volumes with one protection.
func (c Counts) Of(p backup.Protection) int {
	return map[backup.Protection]int{
		backup.Protected: c.Protected, backup.Late: c.Late, backup.Waiting: c.Waiting,
		backup.Unprotected: c.Unprotected, backup.Unknown: c.Unknown, backup.Gone: c.Gone,
	}[p]
}

// VolumeProtection is the protection of one volume.
type VolumeProtection struct {
	Protection   backup.Protection `json:"protection" desc:"protected, late, waiting, unprotected, unknown or gone"`
	RestorePoint *time.Time        `json:"newest_restore_point_at" desc:"the time of its data; null: there is none"`
	LateSince    *time.Time        `json:"late_since" desc:"when it became late; null: it is not"`
}

func (r Reader) protectionOf(p db.VolumeProtection) VolumeProtection {
	return VolumeProtection{p.Protection(), p.NewestAt, p.LateSince(r.Settings.RPO())}
}

func namesOf(p db.VolumeProtection) VolumeNames {
	return VolumeNames{VolumeID: p.ID, VolumeName: p.Name, ServerID: p.ServerID, ServerName: p.ServerName}
}

// ListedVolume is one volume of a status.
type ListedVolume struct {
	Object
	VolumeProtection

	Decision Reason `json:"decision" desc:"of the newest plan"`
}

// Pause is a pause of one project or of all: nothing new starts there.
type Pause struct {
	ProjectID   string    `json:"project_id" desc:"of the project; \"\": all projects"`
	ProjectName string    `json:"project_name" desc:"its name"`
	Since       time.Time `json:"since" desc:"when it began"`
	Who         string    `json:"who" desc:"who paused it"`
	Why         string    `json:"why" desc:"in their words"`
	Words       string    `json:"words" desc:"the same for people, and how it ends"`
}

// Backlog is what one project waits for.
type Backlog struct {
	ProjectID   string            `json:"project_id" desc:"of the project"`
	ProjectName string            `json:"project_name" desc:"its name"`
	Planned     int               `json:"planned" desc:"backups that wait"`
	Since       time.Time         `json:"since" desc:"when the oldest of them was planned"`
	WaitsFor    []backup.WaitCode `json:"waits_for" desc:"what they wait for: cap, no_service, paused, throttled, dispatch or scheduler; for tenants operator instead of scheduler"`
	OldestPoint *time.Time        `json:"oldest_restore_point_at" desc:"of these volumes' newest restore points the oldest; null: one has none"`
}

// Status gathers the status. It lists the volumes that have one of the given protections.
func (r Reader) Status(ctx context.Context, l *db.Snapshot, listed []backup.Protection) (Status, error) {
	rpo := r.Settings.RPO()
	v := Status{LateAfter: int64(rpo.Of(0) / time.Second)}
	var err error
	if v.Volumes, err = r.Counts(ctx, l); err != nil {
		return Status{}, err
	}
	if v.AsOf, v.Leader, err = r.Metadata(ctx, l); err != nil {
		return Status{}, err
	}
	if v.Day, v.Month, err = r.outcomes(ctx, l); err != nil {
		return Status{}, err
	}
	v.Processes = append([]Process{}, v.processes...)
	found, err := l.Protections(ctx, rpo, r.part(0), listed...)
	if err != nil {
		return Status{}, err
	}
	v.Listed = Each(found, func(p db.VolumeProtection) ListedVolume {
		return ListedVolume{Object{namesOf(p), p.ProjectID, p.ProjectName}, r.protectionOf(p), ReasonOf(p.Reason)}
	})
	return r.statusOfRecords(ctx, l, v)
}

// Counts counts the volumes by protection.
func (r Reader) Counts(ctx context.Context, l *db.Snapshot) (Counts, error) {
	n, err := l.ProtectionCounts(ctx, r.Settings.RPO(), r.Project)
	return countsOf(n), err
}

func (r Reader) statusOfRecords(ctx context.Context, l *db.Snapshot, v Status) (Status, error) {
	paused, err := l.Pauses(ctx)
	if err != nil {
		return Status{}, err
	}
	v.Pauses = []Pause{}
	for _, p := range paused {
		if p.ProjectID != "" && r.mayNotSee(p.ProjectID) {
			continue
		}
		p = r.anonymous(p)
		of, err := ProjectOf(ctx, l, p.ProjectID)
		if err != nil {
			return Status{}, err
		}
		v.Pauses = append(v.Pauses, Pause{p.ProjectID, of.Name, p.Since, p.Who, p.Why, PausedWords(p, of)})
	}
	inProgress, err := l.InProgressIn(ctx, db.Part{Project: r.Project}) // no limit needed: the caps limit them
	if err != nil {
		return Status{}, err
	}
	usual, err := usualDurations(ctx, l, inProgress)
	if err != nil {
		return Status{}, err
	}
	v.InProgress, v.Removals, v.Stuck = sortInProgress(inProgress, usual)
	backlog, err := l.BacklogIn(ctx, r.part(0))
	if err != nil {
		return Status{}, err
	}
	v.Backlog = Each(backlog, func(b db.Backlog) Backlog {
		return Backlog{b.ProjectID, b.ProjectName, b.Records, b.Since, v.heldBy(b.Held), b.OldestPointAt}
	})
	failures, err := l.FailuresIn(ctx, r.part(1))
	if err != nil {
		return Status{}, err
	}
	failures, v.moreFailures = first(r.First, failures)
	v.Failures = Each(failures, FailureOf)
	findings, err := l.FindingsIn(ctx, r.part(1))
	findings, v.moreFindings = first(r.First, findings)
	v.Findings = Each(findings, FindingOf)
	return v, err
}

// heldBy returns what planned records wait for.
func (a AsOf) heldBy(reasons []backup.Held) []backup.WaitCode {
	if a.stopped == backup.WaitScheduler {
		return []backup.WaitCode{a.forReader(backup.WaitScheduler)}
	}
	codes := Each(reasons, backup.Held.Wait)
	slices.Sort(codes)
	return slices.Compact(codes)
}

// part returns the part of a list that the reader is shown, plus some more that show whether there are more.
func (r Reader) part(more int) db.Part {
	if r.First == 0 {
		more = 0
	}
	return db.Part{Project: r.Project, Limit: r.First + more}
}

// first returns the first n, and reports whether there are more.
func first[A any](n int, all []A) ([]A, bool) {
	if n > 0 && len(all) > n {
		return all[:n], true
	}
	return all, false
}
