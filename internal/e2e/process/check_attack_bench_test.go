package process

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// BenchmarkDeleteCheckUnderAttack sends 100 delete checks a second, like Cinder, to a real api on one core: first alone, then
// for 20 s during an attack from another address. The attacker sends 48 hostile bodies at a time, requests checks of unknown IDs
// with 16 connections, and requests the probes with 256 clients, all as fast as possible. In between, the same attack
// hits another api; that measures the effect of the shared machine.
//
// It reports the median and the 99th percentile of the three, the requests without a response, the peak RAM of the api, and
// the rows and KiB that the table delete_checks has grown by. A wrong response fails the benchmark.
func BenchmarkDeleteCheckUnderAttack(b *testing.B) {
	for _, size := range []int{512 << 10, 120 << 10} {
		b.Run(fmt.Sprintf("body=%dKiB", size>>10), func(b *testing.B) {
			for range b.N {
				address, pid, conn := attackedAPI(b)
				other, _, _ := attackedAPI(b)
				alone := askAsCinder(b, address, 10*time.Second)
				attack := startAttack(b, other, nested(size))
				elsewhere := askAsCinder(b, address, 20*time.Second)
				attack.stop()
				require.NoError(b, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0))
				attack = startAttack(b, address, nested(size))
				beside := askAsCinder(b, address, 20*time.Second)
				attack.stop()
				b.ReportMetric(float64(peakMiB(b, pid)), "MiB")
				<-time.After(6 * time.Second) // the api writes its checks every five seconds
				var rows, kib float64
				require.NoError(b, conn.QueryRow(b.Context(), `SELECT count(*), pg_total_relation_size('delete_checks') / 1024 FROM delete_checks`).Scan(&rows, &kib))
				b.ReportMetric(rows, "rows")
				b.ReportMetric(kib, "rows-KiB")
				alone.report(b, "alone")
				elsewhere.report(b, "elsewhere")
				beside.report(b, "beside")
				b.ReportMetric(float64(attack.bodies.Load())/20, "bodies/s")
				b.ReportMetric(float64(attack.checks.Load())/20, "checks/s")
				b.ReportMetric(float64(attack.probes.Load())/20, "probes/s")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func attackedAPI(b *testing.B) (address string, pid int, conn *pgx.Conn) {
	b.Helper()
	address = startCheckAPI(b, 1_000)
	api := checkedAPIs[address]
	conn, err := pgx.Connect(b.Context(), api.database)
	require.NoError(b, err)
	b.Cleanup(func() { _ = conn.Close(context.WithoutCancel(b.Context())) })
	return address, api.process.Cmd.Process.Pid, conn
}

// nested returns a body of about that size which decodes into as many objects as possible.
func nested(size int) string {
	const open, unit = `{"target":{"x":[`, `{"a":[{}]},`
	return open + strings.Repeat(unit, (size-len(open))/len(unit)) + `0]}}`
}

// clientFrom returns a client with its own source address.
func clientFrom(address string, connections int) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: dialer.DialContext, MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
	}}
}

type responses struct {
	took          []time.Duration
	wrong, missed atomic.Int64
}

func (a *responses) report(b *testing.B, when string) {
	b.Helper()
	require.Zero(b, a.wrong.Load(), "wrong responses %s", when)
	slices.Sort(a.took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(a.took[len(a.took)/2]), when+"-p50-ms")
	b.ReportMetric(ms(a.took[len(a.took)*99/100]), when+"-p99-ms")
	b.ReportMetric(float64(a.missed.Load()), when+"-missed")
}

// askAsCinder sends 100 checks a second, half of them about backups with a record. A request that is sent late counts from its
// planned time; a request that is not sent in time counts as missed.
func askAsCinder(b *testing.B, address string, lasts time.Duration) *responses {
	b.Helper()
	const connections, perSecond = 4, 100
	known, client := checkedAPIs[address].known, clientFrom("127.0.0.2", connections)
	defer client.CloseIdleConnections()
	all := &responses{}
	all.missed.Store(int64(lasts.Seconds() * perSecond))
	var next atomic.Int64
	var mu sync.Mutex
	var wait sync.WaitGroup
	began := time.Now()
	for range connections {
		wait.Go(func() {
			for time.Since(began) < lasts {
				i := int(next.Add(1)) - 1
				sent := began.Add(time.Duration(i) * time.Second / perSecond)
				<-time.After(time.Until(sent))
				id, want := known[rand.N(len(known))], "False"
				if i%2 == 0 {
					id, want = fmt.Sprintf("%08x-0000-5000-8000-%012x", rand.Uint32(), i), "True"
				}
				status, output := post(client, address, id, checkBody, "application/x-www-form-urlencoded")
				mu.Lock()
				all.took = append(all.took, time.Since(sent))
				mu.Unlock()
				switch {
				case status == http.StatusOK && output == want:
					all.missed.Add(-1)
				case status == http.StatusOK:
					all.wrong.Add(1)
				}
			}
		})
	}
	wait.Wait()
	all.missed.Store(max(0, all.missed.Load()))
	return all
}

func post(client *http.Client, address, id, body, kind string) (status int, output string) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+address+"/v1/backup?backup_id="+id, strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	request.Header.Set("Content-Type", kind)
	response, err := client.Do(request)
	if err != nil {
		return 0, ""
	}
	text, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	return response.StatusCode, string(text)
}

type attack struct {
	bodies, checks, probes atomic.Int64
	over                   atomic.Bool
	wait                   sync.WaitGroup
}

func startAttack(b *testing.B, address, body string) *attack {
	b.Helper()
	a := &attack{}
	each := func(n int, count *atomic.Int64, do func(*http.Client, int)) {
		client := clientFrom("127.0.0.9", n)
		b.Cleanup(client.CloseIdleConnections)
		for i := range n {
			a.wait.Go(func() {
				for !a.over.Load() {
					do(client, i)
					count.Add(1)
				}
			})
		}
	}
	each(48, &a.bodies, func(client *http.Client, _ int) {
		post(client, address, randomID(), body, "application/json")
	})
	each(16, &a.checks, func(client *http.Client, _ int) {
		post(client, address, randomID(), fmt.Sprintf("credentials=%%7B%%22user_id%%22%%3A%%22%s%%22%%7D", randomID()), "application/x-www-form-urlencoded")
	})
	each(256, &a.probes, func(client *http.Client, i int) {
		path := []string{"/v1/health", "/readyz", "/livez", "/metrics"}[i%4]
		if response, err := client.Get("http://" + address + path); err == nil { //nolint:noctx // the client has a timeout
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	})
	return a
}

func (a *attack) stop() {
	a.over.Store(true)
	a.wait.Wait()
}

func randomID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", rand.Uint32(), rand.Uint64N(1<<48))
}

// peakMiB returns the peak RAM of a process since the last reset of its high-water mark.
func peakMiB(b *testing.B, pid int) (mib int) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(text)) {
		if rest, is := strings.CutPrefix(line, "VmHWM:"); is {
			_, err := fmt.Sscan(rest, &mib)
			require.NoError(b, err)
		}
	}
	return mib >> 10
}
