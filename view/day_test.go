package view

import (
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/view/report"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func id(kind, n int) string { return fmt.Sprintf("%08d-0000-4000-8000-%012d", kind, n) }

func volume(project string, n int) VolumeNames {
	return VolumeNames{id(1, n), fmt.Sprintf("%s-data-%d", project, n), id(2, n/2), fmt.Sprintf("%s-web-%d", project, n/2)}
}

func success(project string, n int) Success {
	kind := backup.Full
	if n%3 > 0 {
		kind = backup.Incremental
	}
	started := noon.Add(-time.Duration(n) * 20 * time.Minute)
	return Success{
		VolumeNames: volume(project, n), Record: id(3, n), BackupID: id(4, n), Kind: kind, SizeGiB: 10 * (n%5 + 1),
		StartedAt: started, Took: int64(60 + 37*n), KeptUntil: new(started.AddDate(0, 0, 17)),
	}
}

func failure(project string, n int, why backup.Reason, words string, next AfterFailure) FailedAttempt {
	f := FailedAttempt{
		Failure: Failure{
			Object: Object{VolumeNames: volume(project, n), ProjectName: project}, At: noon.Add(-time.Duration(n) * time.Hour), State: string(backup.Failed),
			Reason: ReasonOf(why), Text: words, RequestID: "req-" + id(6, n), Leftover: &Leftover{Status: backup.LeftoverNone, Reason: ReasonOf("")},
		},
		Record: id(5, n), Next: next,
	}
	if next == Retried || next == SucceededSince {
		f.AgainAt = new(noon.Add(time.Hour))
	}
	return f
}

func quota(limit, inUse, reserved int) *Quota {
	return JudgeQuota(backup.Quota{Limit: limit, InUse: inUse, Reserved: reserved})
}

// day returns a full report: three projects, 60 backups, 5 failures, 2 late volumes, one project over its quota.
func day() Report {
	acme := ReportProject{ID: id(9, 1), Name: "acme", Protected: 20, Backups: quota(500, 140, 2), Gigabytes: quota(10000, 5400, 40)}
	globex := ReportProject{ID: id(9, 2), Name: "globex", Protected: 9, Backups: quota(50, 52, 0), Gigabytes: quota(1000, 810, 0)}
	initech := ReportProject{ID: id(9, 3), Name: "initech", Protected: 4, Backups: quota(-1, 31, 0), QuotaFault: "Cinder did not respond in time."}
	for n := range 40 {
		acme.Succeeded = append(acme.Succeeded, success("acme", n))
	}
	for n := range 12 {
		globex.Succeeded = append(globex.Succeeded, success("globex", n))
	}
	for n := range 8 {
		initech.Succeeded = append(initech.Succeeded, success("initech", n))
	}
	initech.Succeeded[7].KeptUntil, initech.Succeeded[7].Gone = nil, "removed by somebody else since"
	acme.Failed = []FailedAttempt{
		failure("acme", 3, backup.BackupError, "Error: [Errno 28] No space left on device: 'volume_3f2a/2026-03-02/00000012'", Retried),
	}
	globex.Failed = []FailedAttempt{
		failure("globex", 1, backup.QuotaExceeded, "BackupLimitExceeded: Maximum number of backups allowed (50) exceeded", Retried),
		failure("globex", 2, backup.QuotaExceeded, "BackupLimitExceeded: Maximum number of backups allowed (50) exceeded", AnotherInProgress),
		failure("globex", 5, backup.VolumeStatus, `the volume's status is "maintenance"`, NotRetried),
	}
	initech.Failed = []FailedAttempt{failure("initech", 2, backup.CinderUnavailable, "503 Service Unavailable", SucceededSince)}
	globex.Late = []Late{
		{volume("globex", 1), new(noon.Add(-26 * time.Hour)), new(noon.Add(-58 * time.Hour)), false, ReasonOf(backup.QuotaExceeded)},
		{volume("globex", 2), new(noon.Add(-3 * time.Hour)), new(noon.Add(-35 * time.Hour)), false, ReasonOf(backup.QuotaExceeded)},
	}
	initech.Never = []Late{{volume("initech", 30), new(noon.Add(-time.Hour)), nil, false, ReasonOf(backup.FirstBackup)}}
	acme.Removed = Removals([]Gone{expired("acme", 0, 1), expired("acme", 0, 2), expired("acme", 1, 3)})
	finding := func(why backup.Reason, n int, name, detail string) Finding {
		return Finding{Reason: ReasonOf(why), Object: id(2, n), ObjectName: name, Detail: detail, Since: noon.Add(-5 * 24 * time.Hour)}
	}
	acme.Findings = []Finding{finding(backup.RetentionMetadataUnreadable, 7, "acme-web-7", `__staffeln_retention is "two weeks": want a period such as 2w`)}
	initech.Findings = []Finding{finding(backup.RemovedByOthers, 8, "", "backup "+id(4, 7)+" of volume initech-data-7 is gone from Cinder")}
	return Report{
		ID: id(7, 1), Group: report.All, From: noon.Add(-24 * time.Hour), At: noon, LateAfter: int64(32 * time.Hour / time.Second),
		Projects: []ReportProject{acme, globex, initech},
	}.WithRestore()
}

// expired returns a restore point of a volume that was removed when its retention was over.
func expired(project string, n, point int) Gone {
	at := noon.AddDate(0, 0, -17).Add(-time.Duration(point) * time.Hour)
	return Gone{volume(project, n), id(4, 100+point), at, at.AddDate(0, 0, 17), at.AddDate(0, 0, 17), backup.RetentionOver}
}

// dayWithEarlyRemovals returns the report of a day on which restore points were removed too early.
func dayWithEarlyRemovals() Report {
	r := dayWithoutProblems()
	p := &r.Projects[0]
	early := expired("acme", 0, 4)
	early.RemovedAt = early.RemovedAt.Add(-time.Hour)
	stolen := expired("acme", 1, 5)
	stolen.Reason, stolen.RemovedAt = backup.RemovedByOthers, stolen.RemovedAt.AddDate(0, 0, -3)
	p.Removed = Removals([]Gone{expired("acme", 0, 1), early, stolen})
	one, _ := Lacks(noon, volume("acme", 1), 0, 8, 3, new(noon.Add(-time.Hour)), 7*24*time.Hour)
	two, _ := Lacks(noon, volume("acme", 2), 1, 8, 3, nil, 7*24*time.Hour)
	p.Fewer = []Fewer{one, two}
	return r
}

// dayWithoutProblems returns the report of a day without problems.
func dayWithoutProblems() Report {
	return Report{
		ID: id(7, 2), Group: id(9, 1), From: noon.Add(-24 * time.Hour), At: noon, LateAfter: int64(32 * time.Hour / time.Second),
		Projects: []ReportProject{{
			ID: id(9, 1), Name: "acme", Protected: 2, Backups: quota(0, 0, 0), Gigabytes: quota(1000, 510, 0),
			Succeeded: []Success{success("acme", 0), success("acme", 1)},
		}},
	}.WithRestore()
}
