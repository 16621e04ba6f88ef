package cli

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/doctor"
	"staffeln/openstack"
	"staffeln/tasks"
	"staffeln/view"
)

// serverTimeout is how long the doctor waits for one server that does not respond.
const serverTimeout = 30 * time.Second

// gatherFacts collects all facts. A server that can't be read is a fault of its own part only.
func gatherFacts(ctx context.Context, cfg *doctorConfig, credentials openstack.Credentials) doctor.Facts {
	f := doctor.Facts{Settings: cfg.Settings}
	f.Check.Required, f.Check.Named = cfg.API.TLS.ClientCAFile != "", len(cfg.API.TLS.ClientNames) > 0
	f.Database.BackedUp = cfg.DatabaseBackedUp
	f.Queue = queueFacts(ctx, cfg.RedisURL)
	cfg.Openstack.RetryTimeout = min(cfg.Openstack.RetryTimeout, backup.Duration(serverTimeout))
	cloud, err := openstack.Connect(ctx, credentials, cfg.Openstack)
	if err != nil {
		f.Cloud.Fault = err.Error()
	}
	database, err := openForDoctor(ctx, cfg.DatabaseURL)
	if err != nil {
		f.Database.Fault = err.Error()
		f.CompareFault = "the database cannot be read"
		if cloud != nil {
			f.Cloud = cloudFacts(ctx, cloud)
		}
		return f
	}
	defer database.Close()
	if f.Database.Pooled, err = db.Pooled(ctx, cfg.DatabaseURL); err != nil {
		f.Database.Fault = err.Error()
	}
	if err := database.Snapshot(ctx, func(l *db.Snapshot) error { return databaseFacts(ctx, l, cfg.Settings, &f) }); err != nil {
		f.Database.Fault = err.Error()
	}
	if cloud == nil {
		f.CompareFault, f.Projects = "the cloud cannot be read", nil
		return f
	}
	f.Cloud = cloudFacts(ctx, cloud)
	f.Cloud.ClockOff = clockDifference(ctx, database, cloud)
	projectFacts(ctx, cloud, f.Projects)
	checkInvariants(ctx, database, cloud, cfg.Settings, &f)
	return f
}

func openForDoctor(ctx context.Context, url string) (*db.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	return db.Open(ctx, url, nil)
}

func queueFacts(ctx context.Context, url string) (q doctor.QueueFacts) {
	ctx, cancel := context.WithTimeout(ctx, serverTimeout)
	defer cancel()
	tasks.LogRedis(zerolog.Nop()) // faults become findings
	rdb, err := tasks.Open(ctx, url)
	if err != nil {
		return doctor.QueueFacts{Fault: err.Error()}
	}
	defer func() { _ = rdb.Close() }() // nothing waits in it
	h, err := tasks.Examine(ctx, rdb)
	if err != nil {
		return doctor.QueueFacts{Fault: err.Error()}
	}
	workers, err := tasks.Workers(rdb)
	if err != nil {
		return doctor.QueueFacts{Fault: err.Error()}
	}
	return doctor.QueueFacts{Workers: workers, Version: h.Version, Hidden: h.Hidden, AppendOnly: h.AppendOnly, Eviction: h.Eviction, UsedBytes: h.UsedBytes, MaxBytes: h.MaxBytes}
}

func databaseFacts(ctx context.Context, l *db.Snapshot, set backup.Settings, f *doctor.Facts) error {
	f.Now = l.Now
	server, err := l.Postgres(ctx)
	if err != nil {
		return err
	}
	f.Database.Version, f.Database.Recovery, f.Database.Fsync = server.Version, server.Recovery, server.Fsync
	f.Database.SynchronousCommit, f.Database.Replicas = server.SynchronousCommit, server.Replicas
	metadata, _, err := reader(set).Metadata(ctx, l)
	if err != nil {
		return err
	}
	f.Warnings = view.Each(metadata.Warnings, func(one view.Warning) string { return one.Words })
	if metadata.PlannedAt == nil {
		f.FirstPlan = view.ComesAt(metadata.NextPlanAt, metadata.At)
	}
	paused, err := l.Pauses(ctx)
	if err != nil {
		return err
	}
	for _, one := range paused {
		if one.DryRun() {
			f.DryRun = true
		} else {
			f.Pauses++
		}
	}
	if f.Check.Verified, f.Check.Unverified, err = l.CheckCallers(ctx); err != nil {
		return err
	}
	counts, err := l.ProtectionCounts(ctx, set.RPO(), "")
	if err != nil {
		return err
	}
	f.Covered, f.Late, f.Waiting = counts[backup.Protected], counts[backup.Late], counts[backup.Waiting]
	loads, err := l.Loads(ctx)
	for _, one := range loads {
		load := doctor.Load{Project: view.Or(one.ProjectName, one.ProjectID), Volumes: one.Volumes}
		if one.Average != nil {
			load.Average = *one.Average
		}
		f.Load = append(f.Load, load)
		f.Projects = append(f.Projects, doctor.ProjectFacts{ID: one.ProjectID, Name: one.ProjectName, Encrypted: one.Encrypted})
	}
	return err
}

// cloudFacts reads what the service user may see.
func cloudFacts(ctx context.Context, cloud *openstack.Cloud) (c doctor.CloudFacts) {
	c.Microversion, c.Minor = cloud.Microversion()
	var err error
	if c.Admin, err = cloud.IsAdmin(ctx); err != nil {
		return doctor.CloudFacts{Fault: err.Error()}
	}
	if c.Services, err = cloud.BackupServices(ctx); err != nil {
		c.ServicesFault = err.Error()
	}
	if err := cloud.NovaResponds(ctx); err != nil {
		c.NovaFault = err.Error()
	}
	return c
}

// clockDifference returns how far Keystone's clock, which has whole seconds, is ahead of the database's; 0 if one cannot be
// read.
func clockDifference(ctx context.Context, database *db.DB, cloud *openstack.Cloud) time.Duration {
	before, errBefore := database.Now(ctx)
	at, err := cloud.KeystoneClock(ctx)
	after, errAfter := database.Now(ctx)
	switch {
	case err != nil || errBefore != nil || errAfter != nil:
		return 0
	case at.Before(before.Truncate(time.Second)):
		return at.Sub(before)
	case at.After(after):
		return at.Sub(after)
	}
	return 0
}

// projectFacts gets a token and the quota of each project, a few at a time.
func projectFacts(ctx context.Context, cloud *openstack.Cloud, all []doctor.ProjectFacts) {
	var group errgroup.Group
	group.SetLimit(8)
	for i := range all {
		group.Go(func() error {
			if err := readProjectFacts(ctx, cloud, &all[i]); err != nil {
				all[i].Fault = err.Error()
			}
			return nil // each project has its own fault
		})
	}
	_ = group.Wait() // as above
}

func readProjectFacts(ctx context.Context, cloud *openstack.Cloud, p *doctor.ProjectFacts) (err error) {
	if p.SecretRight, err = cloud.Reach(ctx, p.ID); err != nil {
		return err
	}
	p.Backups, p.Gigabytes, err = cloud.BackupQuota(ctx, p.ID)
	return err
}
