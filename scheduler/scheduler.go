// Package scheduler is the process that plans backups, removals and reports.
//
// Any number of schedulers may run; one leads. The leader runs plan (observe the
// cloud, decide, store) on the grid of the service period; retention, reconcile
// and report have periods of their own. In a second loop it runs dispatch every
// poll period: it admits records under the caps and enqueues the task that each
// volume needs next.
//
// The package must not import the queue's library or use HTTP, and it has no right
// to write to the cloud.
package scheduler

import (
	"context"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/tasks"
	"staffeln/view/report"
)

// Cloud is the scheduler's read-only access to the cloud.
type Cloud interface {
	// Observe reads all projects, servers and volumes.
	Observe(ctx context.Context) (backup.Inventory, error)
	// BackupsIn lists the backups of all projects that have this status in Cinder.
	BackupsIn(ctx context.Context, status backup.Status) ([]backup.Backup, error)
	// AllBackups calls each with the backups of all projects, page by page.
	AllBackups(ctx context.Context, each func([]backup.Backup) error) error
	// BackupServices lists the cinder-backup processes.
	BackupServices(ctx context.Context) ([]backup.Service, error)
	// Backup reads one backup with a token of its project.
	Backup(ctx context.Context, projectID, backupID string) (backup.Backup, error)
	// Server, AnyVolume and AnyBackup read one object by its ID, as admin of all
	// projects. Their 404 proves an absence if VerifyAdmin succeeds after it.
	Server(ctx context.Context, serverID string) (backup.Server, error)
	AnyVolume(ctx context.Context, volumeID string) (backup.Volume, error)
	AnyBackup(ctx context.Context, backupID string) (backup.Backup, error)
	// Secrets lists the IDs of a project's secrets that Barbican shows to a token of
	// the project. Secret reads one; its 404 proves an absence.
	Secrets(ctx context.Context, projectID string) (map[string]bool, error)
	Secret(ctx context.Context, projectID, secretID string) error
	// ProjectGone reports whether Keystone returned 404 for the project's ID.
	ProjectGone(ctx context.Context, projectID string) (bool, error)
	// BackupQuota reads a project's quotas of backups and of their gigabytes.
	BackupQuota(ctx context.Context, projectID string) (backups, gigabytes backup.Quota, err error)
	// VerifyAdmin returns an error if listings do not show all projects.
	VerifyAdmin(ctx context.Context) error
	// Troubles returns the known problems of the cloud's API nodes and endpoints. It sends no request.
	Troubles() []backup.Finding
}

// Queue makes sure that each volume that needs something has its task. Enqueuing
// a task that exists already changes nothing.
type Queue interface {
	Dispatch(ctx context.Context, items []tasks.Item) (tasks.Outcomes, error)
	// Workers returns how many workers are alive.
	Workers(ctx context.Context) (int, error)
}

// Scheduler holds what the runs need. All exported fields but Beside are required.
type Scheduler struct {
	DB       *db.DB
	Cloud    Cloud
	Queue    Queue
	Settings backup.Settings
	// Reporting decides whether one report covers all projects.
	Reporting report.Reporting
	Metrics   *telemetry.Metrics
	// Identity is our user and installation: backups that carry it are ours.
	Identity backup.Identity
	// Beside runs beside the loops for as long as the process leads, in the given term. Nil: nothing does.
	Beside func(ctx context.Context, term int64)
	// InTurn checks suspects one after the other, so that the same run sends
	// the same requests in the same order.
	InTurn bool

	asked          map[string]int // by ID: the newest inquiry that asked about a suspect
	inquiries      int
	quotaTurn      int // index of the project whose quota the next plan reads
	conditions     telemetry.Conditions
	routine        routine
	backOffs       backOffs
	throttled      backup.ThrottleReason // of the newest dispatch run; logged when it changes
	downZones      []string              // without cinder-backup at that run, sorted
	scopeThrottles map[backup.AdmissionScope]backup.Throttle
	queue          queueTrouble
	// secretsSeen: this process saw a secret of ours in Barbican. secretsUnread:
	// the projects whose secrets could not be read at their last turn.
	secretsSeen   bool
	secretsUnread map[string]bool
}
