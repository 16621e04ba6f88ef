//go:build faults

package faults

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// An instance is one process that can be started again with the same Postgres user and the same environment.
type instance struct {
	*rig.Process
	role, name string
	env        map[string]string
}

// addInstance starts one more process of a role, with its own Postgres user.
func (r *installation) addInstance(role string, env ...map[string]string) *instance {
	r.T.Helper()
	m := &instance{role: role, name: fmt.Sprintf("%s_%d", role, len(r.instances)+1), env: maps.Clone(r.Env)}
	r.exec(`CREATE ROLE ` + m.name + ` LOGIN SUPERUSER`)
	m.env["STAFFELN_DATABASE_URL"] = strings.Replace(r.URL, "staffeln@", m.name+"@", 1)
	if r.proxies != nil {
		for variable, server := range map[string]string{"STAFFELN_DATABASE_URL": "postgres", "STAFFELN_REDIS_URL": "redis", "OS_AUTH_URL": "cloud"} {
			m.env[variable] = withHost(r.T, m.env[variable], r.proxies.byName[role+"-"+server].Listen)
		}
	}
	for _, more := range env {
		maps.Copy(m.env, more)
	}
	m.env["STAFFELN_METRICS_LISTEN"] = "127.0.0.1:0"
	if role == "api" { // a fixed port, which it uses again after a restart
		free, err := new(net.ListenConfig).Listen(r.Ctx, "tcp", "127.0.0.1:0")
		require.NoError(r.T, err)
		m.env["STAFFELN_API_LISTEN"] = free.Addr().String()
		require.NoError(r.T, free.Close())
	}
	r.instances = append(r.instances, m)
	r.start(m)
	return m
}

// start starts a process that has ended or was never started.
func (r *installation) start(m *instance) {
	r.T.Helper()
	m.Process = rig.LaunchBinary(r.T, r.program, m.env, m.role)
	p := m.Cmd.Process
	r.T.Cleanup(func() { _ = p.Signal(syscall.SIGCONT) }) // a frozen process would not end; it may have ended already
}

// withInstances starts two schedulers, two workers and an api, and waits until they are under load: each volume has a restore
// point, and the first removals have begun.
func (r *installation) withInstances() *installation {
	r.T.Helper()
	for _, role := range []string{"scheduler", "scheduler", "worker", "worker", "api"} {
		r.addInstance(role)
	}
	r.waitLoaded()
	return r
}

// withHost replaces host and port of a URL.
func withHost(t *testing.T, address, host string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	parsed.Host = host
	return parsed.String()
}

func (m *instance) pid() string { return strconv.Itoa(m.Cmd.Process.Pid) }

// logged counts the log lines of a process, since its last start, that contain a message.
func (m *instance) logged(message string) int { return strings.Count(m.Log.String(), message) }

// randomInstance returns a random process of a role.
func (r *installation) randomInstance(role string) *instance {
	r.T.Helper()
	var all []*instance
	for _, m := range r.instances {
		if m.role == role {
			all = append(all, m)
		}
	}
	require.NotEmpty(r.T, all, "processes of the role %s", role)
	return all[r.chance.IntN(len(all))]
}

// leader returns the leading process; nil: no process of this test leads.
func (r *installation) leader() (leads *instance, term int64) {
	r.T.Helper()
	var name string
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT leader, term FROM leadership`).Scan(&name, &term))
	for _, m := range r.instances {
		if m.role == "scheduler" && strings.HasSuffix(name, "/"+m.pid()) {
			return m, term
		}
	}
	return nil, term
}
