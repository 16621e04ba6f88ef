package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/doctor"
	"staffeln/openstack"
	"staffeln/show"
	"staffeln/tasks"
)

// patient is how long the doctor waits for one part that does not answer.
const patient = 30 * time.Second

// lookDoctor gathers all facts. Whatever can't be looked at says so in its own part, and the others go on.
func lookDoctor(ctx context.Context, config *doctorConfig, credentials openstack.Credentials) doctor.Facts {
	f := doctor.Facts{Settings: config.Settings}
	f.Check.Required, f.Check.Named = config.API.TLS.ClientCAFile != "", len(config.API.TLS.ClientNames) > 0
	f.Queue = lookQueue(ctx, config.RedisURL)
	config.Openstack.RetryTimeout = min(config.Openstack.RetryTimeout, backup.Duration(patient))
	cloud, err := openstack.Connect(ctx, credentials, config.Openstack)
	if err != nil {
		f.Cloud.Fault = err.Error()
	}
	memory, err := openMemory(ctx, config.DatabaseURL)
	if err != nil {
		f.Database.Fault = err.Error()
		f.CompareFault = "the database can't be read"
		if cloud != nil {
			f.Cloud = lookCloud(ctx, cloud)
		}
		return f
	}
	defer memory.Close()
	if f.Database.Pooled, err = db.Pooled(ctx, config.DatabaseURL); err != nil {
		f.Database.Fault = err.Error()
	}
	if err := memory.Look(ctx, func(l *db.Look) error { return lookMemory(ctx, l, config.Settings, &f) }); err != nil {
		f.Database.Fault = err.Error()
	}
	if cloud == nil {
		f.CompareFault, f.Projects = "the cloud can't be read", nil
		return f
	}
	f.Cloud = lookCloud(ctx, cloud)
	f.Cloud.ClockOff = clocks(ctx, memory, cloud)
	lookProjects(ctx, cloud, f.Projects)
	lookLaws(ctx, memory, cloud, config.Settings, &f)
	return f
}

func openMemory(ctx context.Context, url string) (*db.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	return db.Open(ctx, url, nil)
}

func lookQueue(ctx context.Context, url string) (q doctor.Queue) {
	ctx, cancel := context.WithTimeout(ctx, patient)
	defer cancel()
	tasks.LogRedis(zerolog.Nop()) // what is wrong is told as a finding
	rdb, err := tasks.Open(ctx, url)
	if err != nil {
		return doctor.Queue{Fault: err.Error()}
	}
	defer func() { _ = rdb.Close() }() // nothing waits in it
	h, err := tasks.Examine(ctx, rdb)
	if err != nil {
		return doctor.Queue{Fault: err.Error()}
	}
	workers, err := tasks.Workers(rdb)
	if err != nil {
		return doctor.Queue{Fault: err.Error()}
	}
	return doctor.Queue{Workers: workers, Version: h.Version, Hidden: h.Hidden, AppendOnly: h.AppendOnly, Eviction: h.Eviction, UsedBytes: h.UsedBytes, MaxBytes: h.MaxBytes}
}

func lookMemory(ctx context.Context, l *db.Look, set backup.Settings, f *doctor.Facts) error {
	f.Now = l.Now
	server, err := l.Server(ctx)
	if err != nil {
		return err
	}
	f.Database.Version, f.Database.Recovery, f.Database.Fsync = server.Version, server.Recovery, server.Fsync
	f.Database.SynchronousCommit, f.Database.Replicas = server.SynchronousCommit, server.Replicas
	head, _, err := reader(set).Head(ctx, l)
	if err != nil {
		return err
	}
	f.Warnings = head.Warnings
	paused, err := l.Pauses(ctx)
	if err != nil {
		return err
	}
	f.Pauses = len(paused)
	if f.Check.Verified, f.Check.Unverified, err = l.CheckCallers(ctx); err != nil {
		return err
	}
	counts, err := l.Counts(ctx, set.Late(), "")
	if err != nil {
		return err
	}
	f.Covered, f.Late, f.Waiting = counts[db.Protected], counts[db.Late], counts[db.Waiting]
	loads, err := l.Loads(ctx)
	for _, one := range loads {
		load := doctor.Load{Project: show.Or(one.ProjectName, one.ProjectID), Volumes: one.Volumes}
		if one.Average != nil {
			load.Average = *one.Average
		}
		f.Load = append(f.Load, load)
		f.Projects = append(f.Projects, doctor.Project{ID: one.ProjectID, Name: one.ProjectName, Encrypted: one.Encrypted})
	}
	return err
}

// lookCloud asks what the service user sees.
func lookCloud(ctx context.Context, cloud *openstack.Cloud) (c doctor.Cloud) {
	c.Microversion, c.Minor = cloud.Microversion()
	var err error
	if c.Admin, err = cloud.IsAdmin(ctx); err != nil {
		return doctor.Cloud{Fault: err.Error()}
	}
	if c.Services, err = cloud.BackupServices(ctx); err != nil {
		c.ServicesFault = err.Error()
	}
	return c
}

// clocks tells how far Keystone's clock, which has whole seconds, is ahead of the database's; 0 where one can't be read.
func clocks(ctx context.Context, memory *db.DB, cloud *openstack.Cloud) time.Duration {
	before, errBefore := memory.Now(ctx)
	at, err := cloud.KeystoneClock(ctx)
	after, errAfter := memory.Now(ctx)
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

// lookProjects asks for a token and the quota of each project, a few at a time.
func lookProjects(ctx context.Context, cloud *openstack.Cloud, all []doctor.Project) {
	var group errgroup.Group
	group.SetLimit(8)
	for i := range all {
		group.Go(func() error {
			if err := lookProject(ctx, cloud, &all[i]); err != nil {
				all[i].Fault = err.Error()
			}
			return nil // each says its own fault
		})
	}
	_ = group.Wait() // as said
}

func lookProject(ctx context.Context, cloud *openstack.Cloud, p *doctor.Project) (err error) {
	if p.SecretRight, err = cloud.Reach(ctx, p.ID); err != nil {
		return err
	}
	backups, gigabytes, err := cloud.BackupQuota(ctx, p.ID)
	p.Backups = doctor.Quota{Limit: backups.Limit, InUse: backups.InUse + backups.Reserved}
	p.Gigabytes = doctor.Quota{Limit: gigabytes.Limit, InUse: gigabytes.InUse + gigabytes.Reserved}
	return err
}
