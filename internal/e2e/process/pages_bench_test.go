package process

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/openstack"
)

// BenchmarkPages requests pages of a real api: of 100 volumes with 816 restore points each (half-hourly, 17 days) and with
// 8,760 (hourly, a year), and the overview of a tenant with 20 of 100,000 volumes after an outage, and those of an operator who sees all of them. It sends one request at a
// time, and eight at once. It reports the median and the 99th percentile in milliseconds, the share of successful responses,
// and the peak RAM of the process.
func BenchmarkPages(b *testing.B) {
	for _, c := range []struct {
		points int
		apart  string
		kept   string
	}{{816, "30 minutes", "17 days"}, {8_760, "1 hour", "366 days"}} {
		b.Run(fmt.Sprintf("points=%d", c.points), func(b *testing.B) {
			p := newPages(b, "member", func(conn *pgx.Conn, project string) { fillHistory(b, conn, project, c.points, c.apart, c.kept) })
			volume := "00000000-0000-4000-8000-000000000042"
			for _, path := range []string{
				"/volumes/" + volume, "/v1/volumes/" + volume, "/backups", "/v1/backups", "/backups?sort=time", "/v1/backups?volume=" + volume,
				"/volumes", "/v1/volumes?sort=restore_point", "/volumes?search=42", "/backups?search=disk+4", "/", "/v1/status",
			} {
				p.measure(b, path)
			}
		})
	}
	b.Run("volumes=100000", func(b *testing.B) {
		p := newPages(b, "member", func(conn *pgx.Conn, project string) { fillOutage(b, conn, project) })
		for _, path := range []string{"/", "/volumes", "/backups", "/v1/volumes?sort=restore_point"} {
			p.measure(b, path)
		}
	})
	b.Run("volumes=100000 of=operator", func(b *testing.B) {
		p := newPages(b, "admin", func(conn *pgx.Conn, project string) { fillOutage(b, conn, project) })
		for _, path := range []string{"/", "/projects", "/v1/projects?sort=-gib", "/volumes?search=4711", "/backups?search=4711", "/backups?sort=volume", "/volumes?sort=-size"} {
			p.measure(b, path)
		}
	})
}

// pages is a real api with a signed-in user.
type pages struct {
	api    *rig.Process
	url    string
	token  string
	cookie *http.Cookie
}

// newPages starts an api for a user with a role in the project.
func newPages(b *testing.B, role string, fill func(conn *pgx.Conn, project string)) *pages {
	b.Helper()
	sim := cloudsim.New(cloudsim.Options{TokenLife: 100 * time.Hour})
	cloud := httptest.NewServer(sim)
	b.Cleanup(cloud.Close)
	project := sim.AddProject("acme")
	sim.Grant(sim.AddUser("alice", "alice-secret", ""), project, role)
	databaseURL := testkit.DatabaseURL(b, nil)
	env := sim.OpenRC(cloud.URL)
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(b, err)
	keystone, err := openstack.NewKeystone(credentials, func(string, string, int, time.Duration) {})
	require.NoError(b, err)
	b.Cleanup(keystone.Close)
	p := &pages{}
	p.token, _, err = keystone.SignIn(b.Context(), openstack.Login{User: "alice", Domain: "Default", Password: "alice-secret", Project: "acme"})
	require.NoError(b, err)
	address := rig.FreeAddress(b)
	p.url = "http://" + address
	maps.Copy(env, map[string]string{
		"STAFFELN_DATABASE_URL": databaseURL, "STAFFELN_API_LISTEN": address, "STAFFELN_LOG_LEVEL": "error", "STAFFELN_API_RATE_LIMIT": "0",
	})
	output, code := rig.Output(b, env, "migrate", "up")
	require.Zero(b, code, output)
	conn, err := pgx.Connect(b.Context(), databaseURL)
	require.NoError(b, err)
	fill(conn, project)
	_, err = conn.Exec(b.Context(), `VACUUM ANALYZE`)
	require.NoError(b, err)
	require.NoError(b, conn.Close(b.Context()))
	p.api = rig.Launch(b, env, "api")
	testkit.Eventually(b, "the api is ready", time.Minute, func() bool {
		response, err := http.Get(p.url + "/readyz") //nolint:noctx // only a benchmark
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	p.signIn(b)
	return p
}

func (p *pages) signIn(b *testing.B) {
	b.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(p.url+"/sign-in", url.Values{"user": {"alice"}, "domain": {"Default"}, "password": {"alice-secret"}, "project": {"acme"}}) //nolint:noctx // only a benchmark
	require.NoError(b, err)
	_ = response.Body.Close()
	i := slices.IndexFunc(response.Cookies(), func(c *http.Cookie) bool { return c.Name == "staffeln" })
	require.GreaterOrEqual(b, i, 0, response.Status)
	p.cookie = response.Cookies()[i]
}

// measure requests a path with one and with eight connections; each request has a timeout of a minute.
func (p *pages) measure(b *testing.B, path string) {
	b.Helper()
	for _, connections := range []int{1, 8} {
		b.Run(fmt.Sprintf("at_once=%d of=%s", connections, strings.ReplaceAll(path, "/", ".")), func(b *testing.B) { p.ask(b, path, connections) })
	}
}

func (p *pages) ask(b *testing.B, path string, connections int) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var next, succeeded, bytes atomic.Int64
	took := make([]time.Duration, b.N)
	before := p.cpu(b)
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				request, _ := http.NewRequestWithContext(context.WithoutCancel(b.Context()), http.MethodGet, p.url+path, http.NoBody)
				request.Header.Set("X-Auth-Token", p.token)
				request.AddCookie(p.cookie)
				sent := time.Now()
				response, err := client.Do(request)
				if err == nil {
					n, _ := io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					bytes.Add(n)
					if response.StatusCode == http.StatusOK {
						succeeded.Add(1)
					}
				}
				took[i] = time.Since(sent)
			}
		})
	}
	wait.Wait()
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(100*float64(succeeded.Load())/float64(b.N), "%succeeded")
	b.ReportMetric(float64(bytes.Load())/float64(b.N)/1024, "KiB/response")
	b.ReportMetric(float64((p.cpu(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/response")
	b.ReportMetric(p.peak(b), "MiB-peak")
	b.ReportMetric(0, "ns/op")
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak returns the peak RAM of the api so far, in MiB.
func (p *pages) peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.api.Cmd.Process.Pid))
	require.NoError(b, err)
	kib, err := strconv.Atoi(peakLine.FindStringSubmatch(string(status))[1])
	require.NoError(b, err)
	return float64(kib) / 1024
}

// cpu returns the CPU time of the api so far, which is meaningful on a machine under load too.
func (p *pages) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.api.Cmd.Process.Pid))
	require.NoError(b, err)
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	user, err := strconv.Atoi(fields[11])
	require.NoError(b, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(b, err)
	return time.Duration(user+system) * 10 * time.Millisecond
}

const benchVolumes = `
	INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected, protected_since,
		retention, retention_source, seen_at, action, reason, decided_at)
	SELECT '00000000-0000-4000-8000-' || lpad(v::text, 12, '0'), 'disk ' || v, CASE WHEN v <= $1 THEN $2 ELSE md5((v / 20)::text) END,
		CASE WHEN v <= $1 THEN 'acme' ELSE 'project ' || v / 20 END, md5(v::text), 'server ' || v, 'zone ' || v % 3, 'in-use', 10, false, true,
		now() - interval '400 days', $4::interval, 'default', now(), 'wait', 'backup_is_fresh', now()
	FROM generate_series(1, $3::int) AS v`

// fillHistory adds 100 volumes of a project with the given number of restore points each, in chains of a full and two
// incrementals.
func fillHistory(b *testing.B, conn *pgx.Conn, project string, points int, apart, kept string) {
	b.Helper()
	_, err := conn.Exec(b.Context(), benchVolumes, 100, project, 100, kept)
	require.NoError(b, err)
	const q = `
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention,
			planned_at, changed_at, backup_id, backup_name, cinder_status, requested_at, deadline, data_timestamp, cinder_timestamp, available_at, ended_at, attempts)
		SELECT project_id, project_name, server_id, server_name, v.id, name, availability_zone, 10, false, 'available', CASE WHEN n % 3 = 0 THEN 'full' ELSE 'incremental' END, retention,
			at, at, gen_random_uuid()::text, 'server_disk', 'available', at, at + interval '6 hours', at, at, at, at, 1
		FROM volumes v, generate_series(0, $1::int - 1) AS n, LATERAL (SELECT date_trunc('second', now()) - ($1::int - n) * $2::interval + interval '10 minutes' + right(v.id, 2)::int * interval '1 second' AS at) t`
	_, err = conn.Exec(b.Context(), q, points, apart)
	require.NoError(b, err)
}

// fillOutage adds 100,000 volumes, 20 of them in the project, all late after an outage of the cloud: each has two old restore
// points, a failure and a planned backup; one of ten has a finding.
func fillOutage(b *testing.B, conn *pgx.Conn, project string) {
	b.Helper()
	_, err := conn.Exec(b.Context(), benchVolumes, 20, project, 100_000, "17 days")
	require.NoError(b, err)
	const records = `
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention,
			planned_at, changed_at, backup_id, backup_name, cinder_status, requested_at, deadline, data_timestamp, cinder_timestamp, available_at, ended_at, last_point_at, reason, reason_text)
		SELECT project_id, project_name, server_id, server_name, v.id, name, availability_zone, 10, false, state, CASE WHEN n = 0 THEN 'full' ELSE 'incremental' END, retention,
			at, at, CASE WHEN n < 2 THEN gen_random_uuid()::text END, 'server_disk', CASE WHEN n < 2 THEN 'available' ELSE '' END,
			CASE WHEN n < 3 THEN at END, CASE WHEN n < 3 THEN at + interval '6 hours' END, CASE WHEN n < 2 THEN at END, CASE WHEN n < 2 THEN at END, CASE WHEN n < 2 THEN at END,
			CASE WHEN n < 3 THEN at END, CASE WHEN n = 3 THEN now() - interval '25 hours' END, CASE WHEN n > 1 THEN 'backup_error' ELSE '' END, CASE WHEN n = 2 THEN 'the backend is away' ELSE '' END
		FROM volumes v, generate_series(0, 3) AS n, LATERAL (SELECT (ARRAY['available', 'available', 'failed', 'planned'])[n + 1] AS state) s,
			LATERAL (SELECT date_trunc('second', now()) - (ARRAY[30, 26, 2, 0])[n + 1] * interval '1 hour' AS at) t`
	const findings = `
		INSERT INTO findings (reason, object, project_id, volume_id, detail, since, seen_at)
		SELECT 'protection_ended', id, project_id, id, 'seen', now(), now() FROM volumes WHERE right(id, 1) = '7'`
	for _, q := range []string{records, findings} {
		_, err = conn.Exec(b.Context(), q)
		require.NoError(b, err, strings.TrimSpace(q))
	}
}
