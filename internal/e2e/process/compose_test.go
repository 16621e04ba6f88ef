package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

const (
	repository = "../../.."
	secretsAt  = "/run/secrets/" // where compose mounts secrets
)

// composition is docker-compose.yml without containers: the local binaries, with the file's commands, variables and secrets,
// in its order and with its health checks. Each process has its own address, like a container.
type composition struct {
	t        *testing.T
	file     composeFile
	given    map[string]string // .env
	override map[string]string // added by the test
	secrets  string            // folder filled by deploy/secrets.sh
	database *url.URL          // URL in the secret
	postgres *url.URL          // real URL, used instead of the variable's value

	apiDatabase    *url.URL // URL in the api's secret
	owner, apiRole string   // the test's own users instead of staffeln and staffeln_api

	redis   string // host:port
	running map[string][]instance
}

type composeFile struct {
	Services map[string]composeService
	Secrets  map[string]struct{ File string }
}

type composeService struct {
	Image       string
	Entrypoint  []string
	Command     []string
	EnvFile     string `yaml:"env_file"`
	Environment map[string]string
	Secrets     []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct{ Test []string }
	Deploy      struct{ Replicas int }
	StopAfter   string `yaml:"stop_grace_period"`
}

// instance is one process of a service, and where it listens.
type instance struct {
	*rig.Process

	listen  string
	metrics string // address of the metrics and probes
}

func composeText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "docker-compose.yml"))
	require.NoError(t, err)
	return string(text)
}

var (
	shownSecret  = regexp.MustCompile(secretsAt + `\w+`)
	interpolated = regexp.MustCompile(`\$\{\w+:-([^}]*)\}`)
)

// compose prepares what the processes need: a database, a folder with secrets, the variables of .env.example, and the cloud of
// sim.
func compose(t *testing.T, text string, sim *cloudsim.Cloud) *composition {
	t.Helper()
	c := &composition{t: t, secrets: filepath.Join(t.TempDir(), "secrets"), running: map[string][]instance{}, override: map[string]string{
		"STAFFELN_ALLOW_SHORT_PERIODS": "true", "STAFFELN_BACKUP_SERVICE_PERIOD": "2", "STAFFELN_POLL_PERIOD": "1", "STAFFELN_BACKUP_MIN_INTERVAL": "0",
	}}
	text = strings.ReplaceAll(interpolated.ReplaceAllString(text, "$1"), "$$", "$") // without any variable set
	require.NoError(t, yaml.Unmarshal([]byte(text), &c.file))

	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	rc := sim.OpenRC(server.URL)
	c.given = c.envFile(filepath.Join(repository, ".env.example"))
	for name := range c.given {
		require.Contains(t, rc, name, "set in .env.example, but no variable of an openrc")
		c.given[name] = rc[name]
	}

	script := exec.CommandContext(t.Context(), filepath.Join(repository, "deploy", "secrets.sh"), c.secrets)
	script.Stdin = strings.NewReader(rc["OS_PASSWORD"] + "\n")
	out, err := script.CombinedOutput()
	require.NoError(t, err, string(out))
	c.postgres, err = url.Parse(testkit.DatabaseURL(t, nil))
	require.NoError(t, err)
	c.redis = rig.FreeAddress(t)
	name := strings.TrimPrefix(c.postgres.Path, "/")
	c.owner, c.apiRole = name+"_owner", name+"_api" // the server also has databases of other tests
	c.override["STAFFELN_DATABASE_API_ROLE"] = c.apiRole
	c.database = c.redirect("database_url", "postgres:5432", c.postgres.Host, c.postgres.Path, c.owner)
	c.apiDatabase = c.redirect("api_database_url", "postgres:5432", c.postgres.Host, c.postgres.Path, c.apiRole)
	c.redirect("redis_url", "redis:6379", c.redis, "/0", "")
	return c
}

// redirect replaces the host of the URL in a secret by the test's own server and, if given, its user. It returns the original
// URL.
func (c *composition) redirect(secret, from, host, path, user string) (was *url.URL) {
	c.t.Helper()
	file := filepath.Join(c.secrets, secret)
	text, err := os.ReadFile(file)
	require.NoError(c.t, err)
	u, err := url.Parse(string(text))
	require.NoError(c.t, err)
	require.Equal(c.t, from, u.Host, "%s leads to no service of the file", secret)
	to := *u
	to.Host, to.Path = host, path
	if user != "" {
		password, _ := u.User.Password()
		to.User = url.UserPassword(user, password)
	}
	require.NoError(c.t, os.WriteFile(file, []byte(to.String()), 0o600))
	return u
}

func (c *composition) envFile(path string) map[string]string {
	c.t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(c.t, err)
	set := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(name, "#") {
			set[name] = value
		}
	}
	return set
}

// up starts all services like `docker compose up` and waits until those with a health check are healthy. It returns the error
// that would prevent this.
func (c *composition) up() error {
	for len(c.running) < len(c.file.Services) {
		before := len(c.running)
		for _, name := range slices.Sorted(maps.Keys(c.file.Services)) {
			needs := c.file.Services[name].DependsOn
			if c.running[name] != nil || !c.started(needs) {
				continue
			}
			for _, other := range slices.Sorted(maps.Keys(needs)) {
				if err := c.await(other, needs[other].Condition); err != nil {
					return fmt.Errorf("start %s: %w", name, err)
				}
			}
			if err := c.start(name); err != nil {
				return fmt.Errorf("start %s: %w", name, err)
			}
		}
		if len(c.running) == before {
			return errors.New("services wait for each other, or for one that is not there")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.file.Services)) {
		if len(c.file.Services[name].Healthcheck.Test) > 0 {
			if err := c.await(name, "service_healthy"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *composition) started(needs map[string]struct{ Condition string }) bool {
	for name := range needs {
		if c.running[name] == nil {
			return false
		}
	}
	return true
}

// await waits for the condition that other services have for a service. A service that has ended does not become healthy any
// more: Compose would restart it in vain.
func (c *composition) await(name, condition string) (err error) {
	c.t.Helper()
	for _, m := range c.running[name] {
		testkit.Eventually(c.t, name+": "+condition, 3*time.Minute, func() bool {
			ended := false
			if m.Process != nil {
				select {
				case <-m.Done:
					ended = true
				default:
				}
			}
			switch {
			case condition == "service_completed_successfully" && m.Process == nil:
				return true // createUsers has ended
			case condition == "service_completed_successfully":
				if ended && m.Cmd.ProcessState.ExitCode() != 0 {
					err = fmt.Errorf("%s ended with exit code %d: %s", name, m.Cmd.ProcessState.ExitCode(), m.Log.Tail(500))
				}
				return ended
			case condition != "service_healthy":
				err = fmt.Errorf("%s: %q is no condition that is used here", name, condition)
			case ended:
				err = fmt.Errorf("%s ended with exit code %d: %s", name, m.Cmd.ProcessState.ExitCode(), m.Log.Tail(500))
			default:
				return c.healthy(name, m)
			}
			return true
		})
	}
	return err
}

func (c *composition) start(name string) error {
	s := c.file.Services[name]
	switch {
	case strings.HasPrefix(s.Image, "postgres:") && len(s.Entrypoint) > 0:
		c.running[name] = []instance{{}}
		return c.createUsers(s)
	case strings.HasPrefix(s.Image, "postgres:"):
		c.running[name] = []instance{{listen: c.postgres.Host}} // the test's own server, which is running
		return nil
	case strings.HasPrefix(s.Image, "redis:"):
		c.running[name] = []instance{{listen: c.redis}}
		return c.startRedis(s)
	case !strings.HasPrefix(s.Image, "staffeln:"):
		c.running[name] = []instance{{}} // a program of others
		_, err := os.Stat(filepath.Join(c.secrets, filepath.Base(s.EnvFile)))
		return err
	case s.EnvFile != ".env":
		return fmt.Errorf("env_file: %q", s.EnvFile)
	}
	for range max(1, s.Deploy.Replicas) {
		m := instance{listen: rig.FreeAddress(c.t)}
		m.metrics = m.listen
		env := maps.Clone(c.given)
		for name, value := range s.Environment {
			path, err := c.secretFile(s, value)
			if err != nil {
				return err
			}
			env[name] = path
		}
		for name, value := range c.override {
			if _, is := env[name]; is || name != "STAFFELN_DATABASE_API_ROLE" {
				env[name] = value
			}
		}
		env["STAFFELN_METRICS_LISTEN"], env["STAFFELN_API_LISTEN"] = m.listen, m.listen
		if env["STAFFELN_API_METRICS_LISTEN"] != "" {
			m.metrics = rig.FreeAddress(c.t)
			env["STAFFELN_API_METRICS_LISTEN"] = m.metrics
		}
		m.Process = rig.Launch(c.t, env, s.Command...)
		c.running[name] = append(c.running[name], m)
	}
	return nil
}

// createUsers creates the users with the script of the service. It returns an error if they are not the users in our
// processes' URLs.
func (c *composition) createUsers(s composeService) error {
	script := filepath.Base(s.Entrypoint[len(s.Entrypoint)-1])
	text, err := os.ReadFile(filepath.Join(repository, "deploy", script))
	require.NoError(c.t, err)
	renamed := strings.NewReplacer("owner=staffeln ", "owner="+c.owner+" ", "api=staffeln_api ", "api="+c.apiRole+" ").Replace(string(text))
	password, _ := c.postgres.User.Password()
	require.NoError(c.t, os.WriteFile(filepath.Join(c.secrets, "postgres_password"), []byte(password), 0o600))
	for range 2 { // it runs at every `up`
		run := exec.CommandContext(c.t.Context(), "sh", "-c", renamed)
		run.Env = append(os.Environ(), "SECRETS="+c.secrets, "PGHOST="+c.postgres.Hostname(), "PGPORT="+c.postgres.Port(),
			"PGUSER="+c.postgres.User.Username(), "PGDATABASE="+strings.TrimPrefix(c.postgres.Path, "/"))
		if out, err := run.CombinedOutput(); err != nil {
			return fmt.Errorf("deploy/%s: %w: %s", script, err, out)
		}
	}
	testkit.DropRole(c.t, c.postgres.String(), c.owner)
	testkit.DropRole(c.t, c.postgres.String(), c.apiRole)
	for secret, made := range map[string]*url.URL{"database_password": c.database, "api_database_password": c.apiDatabase} {
		if _, err := c.secretFile(s, secretsAt+secret); err != nil {
			return err
		}
		password, err := os.ReadFile(filepath.Join(c.secrets, secret))
		if err != nil {
			return err
		}
		role := map[string]string{"database_password": "staffeln", "api_database_password": "staffeln_api"}[secret]
		if made.User.String() != url.UserPassword(role, string(password)).String() || made.Path != "/"+s.Environment["PGDATABASE"] {
			return fmt.Errorf("%s asks for other than the service makes: %s%s", secret, made.User.Username(), made.Path)
		}
	}
	return nil
}

// secretFile returns the local path of a file under /run/secrets, if the service has that secret. Other values are returned
// unchanged.
func (c *composition) secretFile(s composeService, value string) (string, error) {
	name, is := strings.CutPrefix(value, secretsAt)
	if !is {
		return value, nil
	}
	source := c.file.Secrets[name].File
	if !slices.Contains(s.Secrets, name) || filepath.Dir(source) != "deploy/secrets" {
		return "", fmt.Errorf("no secret %s, or not for this service", name)
	}
	return filepath.Join(c.secrets, filepath.Base(source)), nil
}

func (c *composition) startRedis(s composeService) error {
	binary, err := private.FindRedis()
	if err != nil {
		return err
	}
	args := slices.Clone(s.Command)
	for i := range args {
		if args[i], err = c.secretFile(s, args[i]); err != nil {
			return err
		}
	}
	host, port, err := net.SplitHostPort(c.redis)
	if err != nil {
		return err
	}
	args = append(args[1:], "--bind", host, "--port", port, "--dir", c.t.TempDir(), "--databases", "1")
	cmd := exec.CommandContext(context.WithoutCancel(c.t.Context()), binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.t.Cleanup(func() {
		_ = cmd.Process.Kill() // its data is not needed
		_ = cmd.Wait()         // the exit code does not matter
	})
	return nil
}

// healthy runs the file's health check against the address of the process.
func (c *composition) healthy(name string, m instance) bool {
	c.t.Helper()
	s := c.file.Services[name]
	test := s.Healthcheck.Test
	require.NotEmpty(c.t, test, "%s is waited for and has no health check", name)
	host, port, err := net.SplitHostPort(m.listen)
	require.NoError(c.t, err)
	switch {
	case test[0] == "CMD" && test[1] == "wget":
		return rig.Responds(c.t, m.metrics, test[len(test)-1])
	case test[0] == "CMD" && test[1] == "pg_isready":
		folder, err := private.FindPostgres()
		require.NoError(c.t, err)
		args := append(slices.Clone(test[2:]), "-h", host, "-p", port) // the last option wins
		return exec.CommandContext(c.t.Context(), filepath.Join(folder, test[1]), args...).Run() == nil
	case test[0] == "CMD-SHELL":
		line := shownSecret.ReplaceAllStringFunc(test[1], func(path string) string {
			file, err := c.secretFile(s, path)
			require.NoError(c.t, err)
			return file
		})
		line = strings.ReplaceAll(line, "redis-cli", "redis-cli -h "+host+" -p "+port)
		return exec.CommandContext(c.t.Context(), "sh", "-c", line).Run() == nil
	}
	require.Fail(c.t, "no idea how to ask", "%s: %v", name, test)
	return false
}

func TestComposeMakesAFullAndAnIncrementalBackup(t *testing.T) {
	t.Parallel()
	sim := cloudsim.New(cloudsim.Options{BackupTime: cloudsim.Fixed(time.Second)})
	volume := cloudsim.Seed(sim, cloudsim.SeedOptions{Projects: 1, Servers: 1, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes[0]
	c := compose(t, composeText(t), sim)
	require.NoError(t, c.up())
	for name, replicas := range map[string]int{"scheduler": 2, "worker": 2, "api": 1, "migrate": 1, "asynqmon": 1} {
		require.Len(t, c.running[name], replicas, name)
	}

	records, err := pgxpool.New(t.Context(), c.postgres.String())
	require.NoError(t, err)
	defer records.Close()
	testkit.Eventually(t, "two backups are recorded as available", 2*time.Minute, func() bool {
		var n int
		require.NoError(t, records.QueryRow(t.Context(), `SELECT count(*) FROM records WHERE state = 'available'`).Scan(&n))
		return n >= 2
	})
	backups := sim.BackupsOf(volume)
	require.Empty(t, backups[0].Parent, "the first is full")
	require.Equal(t, backups[0].ID, backups[1].Parent, "the second builds on it")

	token, err := os.ReadFile(filepath.Join(c.secrets, "api_queues_token"))
	require.NoError(t, err)
	page := "http://" + c.running["api"][0].listen + "/queues"
	for path, shows := range map[string]string{"": "<title>", "/api/queues": `"queue":"volumes"`} {
		status, body := ask(t, http.MethodGet, page+path, string(token))
		require.Equal(t, http.StatusOK, status, body)
		require.Contains(t, body, shows)
		status, _ = ask(t, http.MethodGet, page+path, "")
		require.Equal(t, http.StatusUnauthorized, status)
	}

	// The api has no password of the cloud; it does not need one to let Keystone validate a token.
	require.NotContains(t, c.file.Services["api"].Secrets, "os_password")
	sim.Grant(sim.AddUser("olga", "olga-secret", ""), sim.Project("admin"), "admin")
	pageURL := "http://" + c.running["api"][0].listen
	signed := browse(t, pageURL+"/sign-in", url.Values{
		"user": {"olga"}, "domain": {"Default"}, "project": {"admin"}, "password": {"olga-secret"},
	})
	require.Equal(t, http.StatusSeeOther, signed.StatusCode)
	shown := browse(t, pageURL+"/volumes", nil, signed.Cookies()...)
	require.Equal(t, http.StatusOK, shown.StatusCode, shown.text)
	require.Contains(t, shown.text, volume)

	for _, name := range []string{"worker", "scheduler", "api"} {
		grace, err := time.ParseDuration(c.file.Services[name].StopAfter)
		require.NoError(t, err)
		for _, m := range c.running[name] {
			began := time.Now()
			m.Stop()
			require.Zero(t, m.Cmd.ProcessState.ExitCode(), "%s, stopped by a signal", name)
			require.Less(t, time.Since(began), grace, "%s would have been killed", name)
		}
	}
}

// A compose file with a misspelt variable does not start.
func TestComposeFailsWithAMisspeltVariable(t *testing.T) {
	t.Parallel()
	text := composeText(t)
	names := map[string]bool{}
	for _, s := range compose(t, text, cloudsim.New(cloudsim.Options{})).file.Services {
		if strings.HasPrefix(s.Image, "staffeln:") {
			for name := range s.Environment {
				names[name] = true
			}
		}
	}
	require.Equal(t, map[string]bool{
		"STAFFELN_DATABASE_URL_FILE": true, "STAFFELN_REDIS_URL_FILE": true, "OS_PASSWORD_FILE": true, "STAFFELN_API_QUEUES_TOKEN_FILE": true,
		"STAFFELN_API_METRICS_LISTEN": true, "STAFFELN_DATABASE_API_ROLE": true,
	}, names)
	for name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other, want := "OTHER_"+name, strings.TrimSuffix(name, "_FILE") // the name that the error must contain
			if strings.HasPrefix(name, "STAFFELN_") {
				other = strings.NewReplacer("URL", "ADDRESS", "TOKEN", "WORD", "LISTEN", "HEAR", "ROLE", "PART").Replace(name)
			}
			if slices.Contains([]string{"STAFFELN_API_QUEUES_TOKEN_FILE", "STAFFELN_API_METRICS_LISTEN", "STAFFELN_DATABASE_API_ROLE"}, name) {
				want = other + ": unknown" // optional variables
			}
			err := compose(t, strings.ReplaceAll(text, name+":", other+":"), cloudsim.New(cloudsim.Options{})).up()
			require.ErrorContains(t, err, "ended with exit code 2")
			require.ErrorContains(t, err, want)
		})
	}
}

// deployed contains the parts of the Kubernetes manifest that the test reads.
type deployed struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Ports    []struct{ Port int }
		Template struct {
			Spec struct {
				Containers []struct{ Args []string }
				Volumes    []struct {
					Projected struct {
						Sources []struct {
							Secret struct{ Items []struct{ Key, Path string } }
						}
					}
				}
			}
		}
	}
}

// secretsOf returns a folder with the secrets that are mounted into the pod.
func (d deployed) secretsOf(t *testing.T, all map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for _, volume := range d.Spec.Template.Spec.Volumes {
		for _, source := range volume.Projected.Sources {
			for _, item := range source.Secret.Items {
				require.Contains(t, all, item.Key)
				require.NoError(t, os.WriteFile(filepath.Join(folder, item.Path), []byte(all[item.Key]), 0o600))
			}
		}
	}
	return folder
}

// Kubernetes injects variables about each Service into every container by default. With a Service staffeln-api their names
// begin like ours; a process must not report them as unknown variables.
func TestDeployAcceptsVariablesInjectedByKubernetes(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	secrets := map[string]string{"database_url": h.URL, "redis_url": h.Env["STAFFELN_REDIS_URL"], "os_password": h.Env["OS_PASSWORD"], "api_database_url": h.URL}
	text, err := os.ReadFile(filepath.Join(repository, "deploy", "kubernetes", "staffeln.yaml"))
	require.NoError(t, err)
	env, commands, folders := map[string]string{}, [][]string{}, []string{}
	for one := range strings.SplitSeq(string(text), "\n---\n") {
		var o deployed
		require.NoError(t, yaml.Unmarshal([]byte(one), &o))
		for name, value := range o.Data {
			if env[name] = h.Env[name]; strings.HasSuffix(name, "_FILE") {
				env[name] = filepath.Base(value) // in the folder of the pod
			}
		}
		for _, container := range o.Spec.Template.Spec.Containers {
			commands, folders = append(commands, container.Args), append(folders, o.secretsOf(t, secrets))
		}
		if o.Kind == "Service" {
			maps.Copy(env, injectedBy(o.Metadata.Name, strconv.Itoa(o.Spec.Ports[0].Port)))
		}
	}
	require.Contains(t, env, "STAFFELN_API_PORT_8808_TCP_ADDR")
	require.Len(t, commands, 4)
	for i, command := range commands {
		own := maps.Clone(env)
		for name, value := range env {
			if strings.HasSuffix(name, "_FILE") {
				own[name] = filepath.Join(folders[i], value)
			}
		}
		if command[0] == "migrate" {
			for _, ends := range [][]string{command, {"migrate", "status"}, {"version"}} {
				out, code := rig.Output(t, own, ends...)
				require.Zero(t, code, out)
			}
			continue
		}
		listen := rig.FreeAddress(t)
		own["STAFFELN_METRICS_LISTEN"], own["STAFFELN_API_LISTEN"] = listen, listen
		p := rig.Launch(t, own, command...)
		h.Eventually(p.Name+" is ready", func() bool {
			select {
			case <-p.Done:
				require.Fail(t, "it ended", "%s: exit code %d: %s", p.Name, p.Cmd.ProcessState.ExitCode(), p.Log.Tail(2000))
			default:
			}
			return rig.Responds(t, listen, "http://127.0.0.1:9808/readyz")
		})
	}
}

// injectedBy returns the variables that Kubernetes injects for a Service with one port named http.
func injectedBy(service, port string) map[string]string {
	const host = "10.96.0.7"
	begin := strings.ToUpper(strings.ReplaceAll(service, "-", "_"))
	tcp := begin + "_PORT_" + port + "_TCP"
	return map[string]string{
		begin + "_SERVICE_HOST": host, begin + "_SERVICE_PORT": port, begin + "_SERVICE_PORT_HTTP": port,
		begin + "_PORT": "tcp://" + host + ":" + port, tcp: "tcp://" + host + ":" + port,
		tcp + "_PROTO": "tcp", tcp + "_PORT": port, tcp + "_ADDR": host,
	}
}

// webResponse is a response with its body.
type webResponse struct {
	*http.Response

	text string
}

// browse sends a request with cookies and does not follow redirects; with a form it is a POST.
func browse(t *testing.T, target string, form url.Values, cookies ...*http.Cookie) webResponse {
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	q, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range cookies {
		q.AddCookie(c)
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(q)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return webResponse{response, string(text)}
}
