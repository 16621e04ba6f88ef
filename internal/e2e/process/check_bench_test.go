package process

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// BenchmarkDeleteCheck sends delete checks to a real api on one core, half of them about backups with a record, and asserts
// that every response is right. Database and load use the other cores. It reports requests per second, and the median and 99th
// percentile in milliseconds: at full speed with several numbers of connections, and at 2,000 requests a second, where a
// request that is sent late counts from its planned time.
func BenchmarkDeleteCheck(b *testing.B) {
	for _, records := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			address := startCheckAPI(b, records)
			for _, connections := range []int{1, 32, 256} {
				b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) { askChecks(b, address, records, connections, 0) })
			}
			// With few connections, because more senders beside the database on one core would measure each other.
			b.Run("persecond=2000", func(b *testing.B) { askChecks(b, address, records, 4, 2_000) })
		})
	}
}

// startCheckAPI starts an api over a database with that many records.
func startCheckAPI(b *testing.B, records int) (address string) {
	b.Helper()
	url := testkit.DatabaseURL(b, nil)
	env := map[string]string{"STAFFELN_DATABASE_URL": url, "STAFFELN_API_LISTEN": rig.FreeAddress(b), "STAFFELN_LOG_LEVEL": "warn", "GOMAXPROCS": "1", "STAFFELN_API_REFUSAL_BURST": "0"}
	output, code := rig.Output(b, env, "migrate", "up")
	require.Zero(b, code, output)
	conn, err := pgx.Connect(b.Context(), url)
	require.NoError(b, err)
	for _, q := range []string{
		`INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected, seen_at)
			SELECT 'v' || n, '', 'p', '', 's', '', '', 'in-use', 1, false, false, now() FROM generate_series(0, 9999) AS n`,
		fmt.Sprintf(`INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention,
				planned_at, changed_at, backup_id, requested_at, deadline, data_timestamp, available_at, ended_at)
			SELECT 'p', '', 's', '', 'v' || n %% 10000, '', '', 1, false, 'available', 'full', '1 day', now(), now(), overlay(md5('known' || n)::uuid::text placing '4' from 15),
				now(), now(), now(), now(), now() FROM generate_series(0, %d) AS n`, records-1),
		`VACUUM ANALYZE`,
	} {
		_, err := conn.Exec(b.Context(), q)
		require.NoError(b, err)
	}
	var known []string
	rows, err := conn.Query(b.Context(), `SELECT backup_id FROM records ORDER BY id LIMIT 20000`)
	require.NoError(b, err)
	known, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b, err)
	require.NoError(b, conn.Close(b.Context()))
	api := rig.Launch(b, env, "api")
	checkedAPIs[env["STAFFELN_API_LISTEN"]] = checkedAPI{known, url, api}
	pinned := exec.CommandContext(b.Context(), "taskset", "-acp", "0", fmt.Sprint(api.Cmd.Process.Pid))
	_ = pinned.Run() // without taskset, GOMAXPROCS still limits it to one core at a time
	testkit.Eventually(b, "the api is ready", time.Minute, func() bool {
		response, err := http.Get("http://" + env["STAFFELN_API_LISTEN"] + "/readyz") //nolint:noctx // only a benchmark
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return env["STAFFELN_API_LISTEN"]
}

// checkedAPIs are the running apis by address.
var checkedAPIs = map[string]checkedAPI{}

type checkedAPI struct {
	known    []string // IDs of backups with a record
	database string
	process  *rig.Process
}

// checkBody is as long as the body that Cinder sends.
var checkBody = "rule=%22backup%3Adelete%22&credentials=" + strings.Repeat("+", 1_400) + "%7B%22user_id%22%3A%228a21b62f89f94eb6bdec89d8df2e4433%22%7D"

func askChecks(b *testing.B, address string, records, connections, perSecond int) {
	b.Helper()
	known := checkedAPIs[address].known
	transport := &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ctx := context.WithoutCancel(b.Context())
	var next, wrong atomic.Int64
	took := make([]time.Duration, b.N)
	soon, all := served(b, address)
	began := time.Now()
	var wait sync.WaitGroup
	for range connections {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				sent := time.Now()
				if perSecond > 0 {
					sent = began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
					<-time.After(time.Until(sent))
				}
				id, want := known[rand.N(len(known))], "False"
				if i%2 == 0 {
					id, want = fmt.Sprintf("%08x-0000-5000-8000-%012x", rand.Uint32(), i), "True"
				}
				request, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/backup?backup_id="+id, strings.NewReader(checkBody))
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				response, err := client.Do(request)
				if err != nil {
					wrong.Add(1)
					continue
				}
				output, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				took[i] = time.Since(sent)
				if string(output) != want {
					wrong.Add(1)
				}
			}
		})
	}
	wait.Wait()
	lasted := time.Since(began)
	require.Zero(b, wrong.Load(), "wrong responses")
	soonNow, allNow := served(b, address)
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(float64(b.N)/lasted.Seconds(), "req/s")
	b.ReportMetric(100*float64(soonNow-soon)/float64(allNow-all), "%in5ms")
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(float64(records), "records")
	b.ReportMetric(0, "ns/op")
}

// served returns from the api's histogram how many checks took at most 5 ms, and how many there were.
func served(b *testing.B, address string) (soon, all int) {
	b.Helper()
	response, err := http.Get("http://" + address + "/metrics") //nolint:noctx // only a benchmark
	require.NoError(b, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
	for line := range strings.Lines(string(text)) {
		const bucket = `staffeln_api_request_duration_seconds_bucket{route="/v1/backup",le=`
		switch {
		case strings.HasPrefix(line, bucket+`"0.005"}`):
			_, err = fmt.Sscan(line[len(bucket+`"0.005"}`):], &soon)
		case strings.HasPrefix(line, bucket+`"+Inf"}`):
			_, err = fmt.Sscan(line[len(bucket+`"+Inf"}`):], &all)
		}
		require.NoError(b, err)
	}
	return soon, all
}
