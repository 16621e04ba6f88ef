package process

import (
	"encoding/json"
	"maps"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// A process with a wrong configuration exits, and its last line names what is wrong and what to do.
//
// This includes an unreachable Redis, although nothing would be lost without it: a wrong address is noticed at the start or
// never, Postgres and Keystone are handled the same way, and restart policies restart a process that exits with 1. A running
// process continues without Redis (see TestRedisEmptiedInTheMiddle).
func TestWrongStartEndsWithALineThatNamesTheFix(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	right := h.Env["OS_PASSWORD"]
	h.Env["OS_PASSWORD"] = secretPassword
	h.Env["STAFFELN_DATABASE_URL"] = strings.Replace(h.URL, "@", ":"+secretPassword+"@", 1) // this Postgres does not ask for the password
	member, home := h.Sim.AddUser("backup-member", secretPassword, ""), h.Sim.Cast().AdminProject
	h.Sim.Grant(member, home, "member")
	nobody, taken := "127.0.0.1:1", silentAddress(t)
	for name, c := range map[string]struct {
		command string
		change  map[string]string
		code    int
		line    string // the last line, as a regular expression
		warns   string // while it waits; empty: it exits at once
	}{
		"no database": {
			command: "worker", change: map[string]string{"STAFFELN_DATABASE_URL": "postgres://staffeln:" + secretPassword + "@" + nobody + "/staffeln"},
			code: 1, line: `open database staffeln on 127\.0\.0\.1:1: .*connection refused: start Postgres there, or check host and port in STAFFELN_DATABASE_URL`,
		},
		"no database to migrate": {
			command: "migrate up", change: map[string]string{"STAFFELN_DATABASE_URL": "postgres://staffeln:" + secretPassword + "@" + nobody + "/staffeln"},
			code: 1, line: `migrate database staffeln on 127\.0\.0\.1:1: .*connection refused: start Postgres there, or check host and port in STAFFELN_DATABASE_URL`,
		},
		"wrong password of the database": {
			command: "scheduler", change: map[string]string{"STAFFELN_DATABASE_URL": wrongPasswordURL(t)},
			code: 1, line: `open database postgres on 127\..*: FATAL: password authentication failed for user "tenant" \(SQLSTATE 28P01\): check user or password in STAFFELN_DATABASE_URL`,
		},
		"no such database": {
			command: "api", change: map[string]string{"STAFFELN_DATABASE_URL": strings.Replace(h.URL, "?", "_?", 1)},
			code: 1, line: `open database .*: FATAL: database .* does not exist .*: create it \(createdb\), or check the name in STAFFELN_DATABASE_URL`,
		},
		"no Redis for a scheduler": {
			command: "scheduler", change: map[string]string{"STAFFELN_REDIS_URL": "redis://:" + secretPassword + "@" + nobody + "/0"},
			code: 1, line: `connect to redis 127\.0\.0\.1:1: .*connection refused: start Redis there, or check STAFFELN_REDIS_URL`, warns: "Redis does not respond",
		},
		"no Redis for a worker": {
			command: "worker", change: map[string]string{"STAFFELN_REDIS_URL": "redis://:" + secretPassword + "@" + nobody + "/0"},
			code: 1, line: `connect to redis 127\.0\.0\.1:1: .*connection refused: start Redis there, or check STAFFELN_REDIS_URL`, warns: "Redis does not respond",
		},
		"wrong password of Redis": {
			command: "worker", change: map[string]string{"STAFFELN_REDIS_URL": strings.Replace(h.Env["STAFFELN_REDIS_URL"], "//", "//tenant:"+secretPassword+"@", 1)},
			code: 1, line: `connect to redis 127\..*: WRONGPASS .*: check user or password in STAFFELN_REDIS_URL`,
		},
		"a URL of the cloud where nobody listens": {
			command: "scheduler", change: map[string]string{"OS_AUTH_URL": "http://" + nobody + "/identity/v3", "STAFFELN_OPENSTACK_RETRY_TIMEOUT": "2"},
			code: 1, line: `connect to cloud http://127\.0\.0\.1:1/identity/v3: .*connection refused.*: start Keystone there, or check OS_AUTH_URL.*`,
			warns: "cloud call will be tried again",
		},
		"a URL of the cloud that is a page": {
			command: "worker", change: map[string]string{"OS_AUTH_URL": webPage(t)},
			code: 1, line: `connect to cloud http://127\..*: .*\(200\): not a response from Keystone: name Keystone in OS_AUTH_URL, as the openrc of the cloud does`,
		},
		"wrong password of the cloud": {
			command: "worker",
			code:    1, line: `connect to cloud http://127\..*: .*unauthorised \(401\): .*: check OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME or their domains.*`,
		},
		"no administrator": {
			command: "scheduler", change: map[string]string{"OS_USERNAME": "backup-member"},
			code: 1, line: `start scheduler: verify admin role of our token: not_admin: the service user has the roles .*"member".* in the admin project: ` +
				`want admin; grant it: openstack role add --user ` + member + ` --project ` + home + ` admin`,
		},
		"an expired certificate of the cloud": {
			command: "scheduler", change: expiredCertificate(t, h.Sim),
			code: 1, line: `connect to cloud https://127\..*: .*certificate has expired.*: renew the certificate of the cloud, or set the clock of this machine`,
		},
		"clouds.yaml without that cloud": {
			command: "worker", change: map[string]string{"OS_CLOUD": "moon", "OS_CLIENT_CONFIG_FILE": cloudsYAML(t)},
			code: 2, line: `read cloud credentials: OS_CLOUD: cloud "moon" not found in clouds\.yaml: name one that the file has, or another file in OS_CLIENT_CONFIG_FILE`,
		},
		"a period of 30 days": {
			command: "scheduler", change: map[string]string{"STAFFELN_RETENTION_TIME": "30 days"},
			code: 2, line: `STAFFELN_RETENTION_TIME: "30 days": want a period such as 2w3d or 1mon, or seconds`,
		},
		"an unknown variable": {
			command: "worker", change: map[string]string{"STAFFELN_BACKUP_CYCLE_TIMOUT": "6h"},
			code: 2, line: `STAFFELN_BACKUP_CYCLE_TIMOUT: unknown; unset it, or spell it as docs/configuration\.md does`,
		},
		"an old schema": {
			command: "api", change: map[string]string{"STAFFELN_DATABASE_URL": testkit.DatabaseURL(t, nil)},
			code: 1, line: "open database .*: schema is at version 0, this program needs \\d+: run `staffeln migrate up`",
		},
		"a port in use by others' metrics": {
			command: "worker", change: map[string]string{"STAFFELN_METRICS_LISTEN": taken, "OS_PASSWORD": right},
			code: 1, line: `listen for metrics: .*address already in use: stop what listens there, or set another address in STAFFELN_METRICS_LISTEN`,
		},
		"a port in use by another API": {
			command: "api", change: map[string]string{"STAFFELN_API_LISTEN": taken},
			code: 1, line: `listen for the API: .*address already in use: stop what listens there, or set another address in STAFFELN_API_LISTEN`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := maps.Clone(h.Env)
			maps.Copy(env, c.change)
			out, code := rig.Output(t, env, strings.Fields(c.command)...)
			lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
			last := lines[len(lines)-1]
			if c.code == 1 { // exit code 1: the last line is a log line in JSON
				var event struct{ Level, Error string }
				require.NoError(t, json.Unmarshal([]byte(last), &event), last)
				require.Equal(t, "error", event.Level)
				last = event.Error
			}
			t.Logf("exit code %d\n%s", code, last)
			assert.Equal(t, c.code, code)
			assert.Regexp(t, `^(staffeln: )?`+c.line+`$`, last)
			assert.Equal(t, c.warns != "", strings.Contains(out, `"level":"warn"`), out)
			assert.Contains(t, out, c.warns)
			assert.NotContains(t, out, secretPassword)
		})
	}
}

// If the cloud accepts the connection and never responds, the process waits and logs that. A signal stops it, with exit code 0.
func TestWrongStartThatWaitsLogsIt(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	env := maps.Clone(h.Env)
	env["OS_AUTH_URL"] = "http://" + silentAddress(t) + "/identity/v3"
	p := rig.Launch(t, env, "scheduler")
	testkit.Eventually(t, "the start logs what it waits for", time.Minute, func() bool {
		return strings.Contains(p.Log.String(), `"dependency":"cloud"`) && strings.Contains(p.Log.String(), "dependency does not respond, start waits")
	})
	require.NoError(t, p.Cmd.Process.Signal(syscall.SIGTERM))
	<-p.Done
	assert.Zero(t, p.Cmd.ProcessState.ExitCode())
	assert.NotContains(t, p.Log.String(), "staffeln: ")
}

// A wrong command line exits with 2 and names the help.
func TestWrongStartByAWrongCommandLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"schedular":      `unknown command "schedular" of staffeln: did you mean scheduler? see staffeln --help`,
		"migrate upp":    `unknown command "upp" of staffeln migrate: did you mean up? see staffeln migrate --help`,
		"migrate":        "name a subcommand; see staffeln migrate --help",
		"worker now":     `staffeln worker takes no arguments, got "now"; see staffeln worker --help`,
		"worker --quick": "unknown flag: --quick; see staffeln worker --help",
	} {
		out, code := rig.Output(t, nil, strings.Fields(line)...)
		assert.Equal(t, 2, code, line)
		assert.Equal(t, "staffeln: "+want+"\n", out, line)
	}
}

// silentAddress returns the address of a listener that never responds.
func silentAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // no connection was accepted
	return listener.Addr().String()
}
