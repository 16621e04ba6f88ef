package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
)

// The periods of the demo. Everything else is the default.
const (
	backupInterval  = 8 * time.Second // of a volume
	retention       = 18 * time.Second
	pollPeriod      = time.Second
	retentionPeriod = 2 * time.Second // between two retention runs
)

// The volume that exceeds its project's quota.
const (
	tooLarge = "vault"
	quotaGiB = 120
)

// servers are the servers of the simulated cloud, with their projects and volumes.
var servers = []struct {
	project, server string
	volumes         []string
	sizes           []int // GiB
}{
	{"shop", "web", []string{"web-root", "web-data"}, []int{1, 3}},
	{"shop", "db", []string{"db-root", "db-data"}, []int{1, 5}},
	{"studio", "mail", []string{"mail-root", "mail-spool"}, []int{1, 4}},
	{"studio", "files", []string{"files-root", "files-home"}, []int{2, 5}},
	{"archive", "papers", []string{"papers-root", "papers-log"}, []int{1, 2}},
	{"archive", "museum", []string{"museum-root", tooLarge}, []int{2, 500}},
}

// environment is the simulated cloud.
type environment struct {
	sim     *cloudsim.Cloud
	url     string
	volumes []string          // IDs, in the order of servers
	names   map[string]string // of the volumes, with their projects'
	tenant  string            // ID of the tenant's project
	stop    func() error
}

// newEnvironment makes a cloud and serves it, in this process.
func newEnvironment(ctx context.Context, key string) (*environment, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the simulated cloud: %w", err)
	}
	e := &environment{url: "http://" + listener.Addr().String(), names: map[string]string{}, sim: cloudsim.New(cloudsim.Options{
		BackupTime: func(sizeGiB int) time.Duration {
			return 1500*time.Millisecond + time.Duration(sizeGiB)*500*time.Millisecond
		},
	})}
	projects := map[string]string{}
	for _, s := range servers {
		if projects[s.project] == "" {
			projects[s.project] = e.sim.AddProject(s.project)
		}
		server := e.sim.AddServer(projects[s.project], s.server, map[string]string{key: "true"})
		for i, name := range s.volumes {
			id := e.sim.AddVolume(projects[s.project], name, s.sizes[i])
			e.sim.Attach(server, id)
			e.volumes, e.names[id] = append(e.volumes, id), s.project+"/"+name
		}
	}
	e.sim.SetQuota(projects["archive"], -1, quotaGiB)
	e.tenant = projects[tenantProject]
	e.sim.Grant(e.sim.AddUser(tenantName, tenantPassword, ""), e.tenant, "member")

	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- telemetry.ServeHTTP(serving, telemetry.NewHTTPServer(e.sim), listener) }()
	e.stop = func() error {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the simulated cloud: %w", err)
		}
		return nil
	}
	return e, nil
}

const creationRoute = "POST /volume/v3/{project}/backups"

// loseResponse has Cinder carry out the next creation for a volume and drop its response.
func (e *environment) loseResponse(volume string) {
	e.sim.AddFault(cloudsim.Fault{Route: creationRoute, Volume: volume, Times: 1, Do: cloudsim.DropAfterEffect{}})
}

// variables returns the configuration of every process.
func (e *environment) variables(database, redis string) map[string]string {
	env := e.sim.OpenRC(e.url)
	seconds := func(d time.Duration) string { return backup.Period{Clock: d}.String() }
	for name, value := range map[string]string{
		"DATABASE_URL": database, "REDIS_URL": redis, "ALLOW_SHORT_PERIODS": "true",
		"BACKUP_SERVICE_PERIOD": seconds(backupInterval), "BACKUP_MIN_INTERVAL": seconds(backupInterval), "POLL_PERIOD": seconds(pollPeriod),
		"RETENTION_TIME": seconds(retention), "RETENTION_SERVICE_PERIOD": seconds(retentionPeriod),
	} {
		env["STAFFELN_"+name] = value
	}
	return env
}
