// Package scheduler is the process that decides.
//
// Any number may run; one leads. The leader plans on the grid of the service
// period (look at the cloud, decide, remember); retention, sweep and report
// follow at their own pace. Beside that, in a loop of its own, it dispatches
// every poll period: it admits under the caps and gives the queue what each
// volume needs next.
//
// It must not know the queue's library or HTTP, and it has no right to write
// to the cloud.
package scheduler

import (
	"context"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/tasks"
	"staffeln/view/report"
)

// Cloud is what the scheduler may ask of the cloud: it can only read.
type Cloud interface {
	// Observe looks at all projects, servers and volumes.
	Observe(ctx context.Context) (backup.Inventory, error)
	// BackupsIn lists the backups of all projects that Cinder gives this status.
	BackupsIn(ctx context.Context, status backup.Status) ([]backup.Backup, error)
	// AllBackups shows every backup of all projects, page by page.
	AllBackups(ctx context.Context, each func([]backup.Backup) error) error
	// BackupServices lists the cinder-backup processes.
	BackupServices(ctx context.Context) ([]backup.Service, error)
	// Backup reads one backup with a token of its project.
	Backup(ctx context.Context, projectID, backupID string) (backup.Backup, error)
	// Server, AnyVolume and AnyBackup read one by its ID, as admin of all
	// projects. A 404 of theirs proves an absence where VerifyAdmin passes after it.
	Server(ctx context.Context, serverID string) (backup.Server, error)
	AnyVolume(ctx context.Context, volumeID string) (backup.Volume, error)
	AnyBackup(ctx context.Context, backupID string) (backup.Backup, error)
	// Secrets lists the IDs of a project's secrets in Barbican, as far as it shows
	// them, with a token of it; Secret looks for one: its 404 proves an absence.
	Secrets(ctx context.Context, projectID string) (map[string]bool, error)
	Secret(ctx context.Context, projectID, secretID string) error
	// ProjectGone tells whether Keystone answered 404 by the project's ID.
	ProjectGone(ctx context.Context, projectID string) (bool, error)
	// BackupQuota reads a project's quotas of backups and of their gigabytes.
	BackupQuota(ctx context.Context, projectID string) (backups, gigabytes backup.Quota, err error)
	// VerifyAdmin tells whether listings show all projects.
	VerifyAdmin(ctx context.Context) error
	// Troubles are what is amiss with the cloud's API nodes and endpoints. It asks nothing.
	Troubles() []backup.Finding
}

// Queue sees to it that each volume that needs something has its task; handing
// over again what is there changes nothing.
type Queue interface {
	Dispatch(ctx context.Context, items []tasks.Item) (tasks.Outcomes, error)
	// Workers is how many are alive.
	Workers(ctx context.Context) (int, error)
}

// Scheduler holds what the beats need. All fields are required.
type Scheduler struct {
	DB       *db.DB
	Cloud    Cloud
	Queue    Queue
	Settings backup.Settings
	// Reporting says whether one report tells of all projects.
	Reporting report.Reporting
	Metrics   *telemetry.Metrics
	// Identity is who we are on the cloud: what carries it is ours.
	Identity backup.Identity
	// InTurn asks about suspects one after the other, so that the same run brings
	// the same requests in the same order.
	InTurn bool

	asked      map[string]int // the newest inquiry that asked about a suspect
	inquiries  int
	quotaTurn  int // whose quota the next plan reads
	conditions telemetry.Conditions
	routine    routine
	backOffs   backOffs
	throttled  backup.ThrottleReason // of the newest dispatch run, told when it changes
	brakes     map[backup.AdmissionScope]backup.Brake
	queue      queueTrouble
	// secretsSeen: this process saw a secret of ours in Barbican; secretsBlind are
	// the projects of whose secrets it saw nothing when they had their turn.
	secretsSeen  bool
	secretsBlind map[string]bool
}
