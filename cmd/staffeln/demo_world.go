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

// The periods of the demo; everything else is the default of production.
const (
	demoPeriod    = 8 * time.Second  // between two backups of a volume
	demoRetention = 18 * time.Second // how long a restore point is kept
	demoPoll      = time.Second
	demoLook      = 2 * time.Second // between two looks for what has expired
)

// The volume that its project's quota has no room for.
const (
	tooLarge = "vault"
	quotaGiB = 120
)

// demoCloud are the projects, servers and volumes of the simulated cloud.
var demoCloud = []struct {
	project, server string
	volumes         []string
	sizes           []int // GiB
}{
	{"shop", "web", []string{"web-root", "web-data"}, []int{1, 3}},
	{"shop", "db", []string{"db-root", "db-data"}, []int{1, 5}},
	{"office", "mail", []string{"mail-root", "mail-spool"}, []int{1, 4}},
	{"office", "files", []string{"files-root", "files-home"}, []int{2, 5}},
	{"archive", "ledger", []string{"ledger-root", "ledger-log"}, []int{1, 2}},
	{"archive", "museum", []string{"museum-root", tooLarge}, []int{2, 500}},
}

// demoWorld is the simulated cloud and what it is spoken to by.
type demoWorld struct {
	sim     *cloudsim.Cloud
	url     string
	volumes []string          // by ID, in the order of demoCloud
	names   map[string]string // of them, with their projects'
	tenant  string            // ID of the tenant's project
	stop    func() error
}

// newDemoWorld fills a cloud and serves it, in this process.
func newDemoWorld(ctx context.Context, key string) (*demoWorld, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the simulated cloud: %w", err)
	}
	w := &demoWorld{url: "http://" + listener.Addr().String(), names: map[string]string{}, sim: cloudsim.New(cloudsim.Options{
		BackupTime: func(sizeGiB int) time.Duration {
			return 1500*time.Millisecond + time.Duration(sizeGiB)*500*time.Millisecond
		},
	})}
	projects := map[string]string{}
	for _, s := range demoCloud {
		if projects[s.project] == "" {
			projects[s.project] = w.sim.AddProject(s.project)
		}
		server := w.sim.AddServer(projects[s.project], s.server, map[string]string{key: "true"})
		for i, name := range s.volumes {
			id := w.sim.AddVolume(projects[s.project], name, s.sizes[i])
			w.sim.Attach(server, id)
			w.volumes, w.names[id] = append(w.volumes, id), s.project+"/"+name
		}
	}
	w.sim.SetQuota(projects["archive"], -1, quotaGiB)
	w.tenant = projects[tenantProject]
	w.sim.Grant(w.sim.AddUser(tenantName, tenantPassword, ""), w.tenant, "member")

	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- telemetry.ServeHTTP(serving, telemetry.NewHTTPServer(w.sim), listener) }()
	w.stop = func() error {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the simulated cloud: %w", err)
		}
		return nil
	}
	return w, nil
}

const creationRoute = "POST /volume/v3/{project}/backups"

// loseAnswer lets Cinder carry out the next creation for a volume, and its answer never arrive.
func (w *demoWorld) loseAnswer(volume string) {
	w.sim.AddFault(cloudsim.Fault{Route: creationRoute, Volume: volume, Times: 1, Do: cloudsim.DropAfterEffect{}})
}

// demoEnvironment is what every process of the demo is configured with.
func demoEnvironment(w *demoWorld, database, redis string) map[string]string {
	env := w.sim.OpenRC(w.url)
	seconds := func(d time.Duration) string { return backup.Period{Clock: d}.String() }
	for name, value := range map[string]string{
		"DATABASE_URL": database, "REDIS_URL": redis, "ALLOW_SHORT_PERIODS": "true",
		"BACKUP_SERVICE_PERIOD": seconds(demoPeriod), "BACKUP_MIN_INTERVAL": seconds(demoPeriod), "POLL_PERIOD": seconds(demoPoll),
		"RETENTION_TIME": seconds(demoRetention), "RETENTION_SERVICE_PERIOD": seconds(demoLook),
	} {
		env["STAFFELN_"+name] = value
	}
	return env
}
