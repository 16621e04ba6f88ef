package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"staffeln/internal/config"

	"github.com/redis/go-redis/v9"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/openstack"
	"staffeln/tasks"
)

// rooms are what scheduler and worker share: memory, queue, cloud, and who we
// are to them.
type rooms struct {
	db       *db.DB
	redis    redis.UniversalClient
	cloud    *openstack.Cloud
	identity backup.Identity
}

// openRooms opens all of them, and adds what must hold to the readiness. It
// refuses credentials that can't do the work before it connects to anything,
// and then a database, a queue or a cloud that does not answer: an address that
// is wrong is found at a start or never, and whoever supervises the process
// starts it again. Once it runs it outlives the absence of each of them.
func openRooms(ctx context.Context, database config.Database, queue config.Queue, cloud openstack.Config, s surroundings) (*rooms, error) {
	credentials, err := openstack.FromEnv(os.Getenv)
	if err != nil {
		return nil, usageError{fmt.Errorf("read cloud credentials: nothing was started:\n%w", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	r := new(rooms)
	if r.db, err = openDatabase(ctx, database, s); err != nil {
		return nil, err
	}
	r.redis, err = waiting(ctx, "redis", func() (redis.UniversalClient, error) { return tasks.Open(ctx, queue.RedisURL) })
	if err != nil {
		r.close()
		return nil, err
	}
	boundaries().queue(r.redis)
	s.ready.Add("redis", answers(func(ctx context.Context) error { return r.redis.Ping(ctx).Err() }, redisAway))
	r.cloud, err = waiting(ctx, "cloud", func() (*openstack.Cloud, error) {
		return openstack.Connect(ctx, credentials, cloud, append(boundaries().cloud, openstack.WithObserver(s.metrics.CloudRequest))...)
	})
	if err != nil {
		r.close()
		return nil, err
	}
	s.ready.Add("login", loginWorks(r.cloud))
	s.ready.Add("endpoints", func(context.Context) error { return r.cloud.EndpointsAnswer() })
	installation, err := r.db.Installation(ctx)
	if err != nil {
		r.close()
		return nil, err
	}
	r.identity = backup.Identity{Installation: installation, UserID: r.cloud.UserID()}
	if err := r.db.ServiceUser(ctx, r.identity.UserID); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rooms) close() {
	if r.redis != nil {
		_ = r.redis.Close() // the process ends; nothing waits in the client
	}
	r.db.Close()
}

// loginWorks is the check that Keystone does not refuse our login. It asks Keystone nothing.
func loginWorks(cloud *openstack.Cloud) func(context.Context) error {
	return func(context.Context) error {
		if since, refused := cloud.LoginRefused(); refused {
			return fmt.Errorf("log in to the cloud: refused since %s; check OS_USERNAME and OS_PASSWORD", since.UTC().Format(time.RFC3339))
		}
		return nil
	}
}
