package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"staffeln/backup"
	"staffeln/cli"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/internal/crashpoint"
	"staffeln/internal/telemetry"
	"staffeln/openstack"
	"staffeln/tasks"
)

// clients are what scheduler and worker share: database, queue and cloud, and our identity there.
type clients struct {
	ready    *telemetry.Readiness
	db       *db.DB
	redis    redis.UniversalClient
	cloud    *openstack.Cloud
	identity backup.Identity
}

// openClients opens all clients and adds their readiness checks. It refuses incomplete credentials before it connects to
// anything, and then a database, a queue or a cloud that does not respond: a wrong address is found at start or never, and
// the supervisor of the process starts it again. A running process survives the absence of each of them.
func openClients(ctx context.Context, database config.Database, queue config.Queue, cloud openstack.Config, dryRun bool, d dependencies) (*clients, error) {
	credentials, err := openstack.FromEnv(os.Getenv)
	if err != nil {
		return nil, cli.UsageError{Cause: fmt.Errorf("cloud credentials refused:\n%w", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	c := &clients{ready: d.ready}
	if c.db, err = openDatabase(ctx, database, d); err != nil {
		return nil, err
	}
	if err := c.open(ctx, queue, cloud, credentials, dryRun, d); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *clients) open(ctx context.Context, queue config.Queue, cloud openstack.Config, credentials openstack.Credentials, dryRun bool, d dependencies) (err error) {
	c.redis, err = waiting(ctx, "redis", func() (redis.UniversalClient, error) { return tasks.Open(ctx, queue.RedisURL) })
	if err != nil {
		return err
	}
	crashpoint.Queue(c.redis)
	d.ready.Add("redis", withAdvice(func(ctx context.Context) error { return c.redis.Ping(ctx).Err() }, redisAdvice))
	options := append(crashpoint.Cloud(), openstack.WithObserver(d.metrics.CloudRequest))
	if dryRun {
		options = append(options, openstack.WithoutChanges())
		d.log.Warn().Msg("dry run: backups and removals are planned, and nothing begins, until STAFFELN_DRY_RUN is unset")
	}
	c.cloud, err = waiting(ctx, "cloud", func() (*openstack.Cloud, error) { return openstack.Connect(ctx, credentials, cloud, options...) })
	if err != nil {
		return err
	}
	d.ready.Add("login", loginWorks(c.cloud))
	d.ready.Add("endpoints", func(context.Context) error { return c.cloud.EndpointsRespond() })
	installation, err := c.db.Installation(ctx)
	if err != nil {
		return err
	}
	c.identity = backup.Identity{Installation: installation, UserID: c.cloud.UserID()}
	return c.db.ServiceUser(ctx, c.identity.UserID)
}

// requireAdmin refuses the start of a process that plans with a service user who sees one project only.
func (c *clients) requireAdmin(ctx context.Context) error {
	if err := c.cloud.RequireAdmin(ctx); err != nil {
		return fmt.Errorf("start scheduler: %w", err)
	}
	return nil
}

func (c *clients) close() {
	c.ready.End()
	if c.redis != nil {
		_ = c.redis.Close() // the process ends; nothing waits in the client
	}
	c.db.Close()
}

// loginWorks returns the check that Keystone does not refuse our login. It sends no request.
func loginWorks(cloud *openstack.Cloud) func(context.Context) error {
	return func(context.Context) error {
		if since, refused := cloud.LoginRefused(); refused {
			return fmt.Errorf("log in to the cloud: refused since %s; check OS_USERNAME and OS_PASSWORD", since.UTC().Format(time.RFC3339))
		}
		return nil
	}
}
