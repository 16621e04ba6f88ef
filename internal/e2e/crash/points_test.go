// Package crash kills the real processes at their external calls, starts them again and checks the invariants.
package crash

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
	"staffeln/internal/testkit/mailbox"
	"staffeln/tasks"
)

// A crashPoint is where a process dies: at the n-th execution of a call, before or after it has an effect.
type crashPoint struct {
	reset         bool // with STAFFELN_STUCK_RESET
	process, side string
	number        int
	call          string // the name of the call, see internal/crashpoint/recorder.go
}

// String returns the name of the crash point. CRASH_POINT selects all crash points whose name contains its value.
func (p crashPoint) String() string {
	mode := "plain"
	if p.reset {
		mode = "reset"
	}
	return fmt.Sprintf("%s %s %s %d %s", mode, p.process, p.side, p.number, p.call)
}

// TestSomeCrashPoints checks that the scenario reaches every external call of the two processes. Then it kills a process at a
// sample of these calls, starts it again, and checks the invariants. CRASH_SEED or CRASH_POINT choose another sample.
func TestSomeCrashPoints(t *testing.T) {
	t.Parallel()
	suite := newCrashSuite(t, 12)
	suite.requireReached(t)
	seed := rand.Uint64()
	if text := os.Getenv("CRASH_SEED"); text != "" {
		_, err := fmt.Sscan(text, &seed)
		require.NoError(t, err)
	}
	points := suite.points()
	t.Logf("CRASH_SEED=%d of %d points", seed, len(points))
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	if text := os.Getenv("CRASH_POINT"); text != "" {
		points = slices.DeleteFunc(points, func(p crashPoint) bool { return !strings.Contains(p.String(), text) })
		require.NotEmpty(t, points, "no point has this in its name")
	} else {
		points = points[:sampleSize]
	}
	suite.killAt(t, points)
}

// sampleSize is the number of crash points of one test; TestEveryCrashPoint uses all.
const sampleSize = 12

// A crashSuite is the scenario, the lanes that run it in parallel, and the external calls of a complete run without a crash.
type crashSuite struct {
	lanes []*crashLane
	calls map[crashPoint]bool // without side and number
	lines map[string]bool     // source lines of ours that lead to an external call
}

func newCrashSuite(t *testing.T, lanes int) *crashSuite {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "staffeln")
	// -N: else the compiler merges equal calls of one function into one line
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "crash", "-gcflags=staffeln/...=-N -l", "-o", program, "staffeln/cmd/staffeln")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	scenario := buildCrashScenario(t)
	server, err := pgxpool.New(t.Context(), os.Getenv("TEST_DATABASE_URL"))
	require.NoError(t, err)
	t.Cleanup(server.Close)
	box := mailbox.Start(t, mailbox.Options{})
	box.Refuse(unknownReceiver, true)
	s := &crashSuite{calls: map[crashPoint]bool{}, lines: map[string]bool{}}
	for i := range lanes {
		redisURL := testkit.RedisURL(t)
		rdb, err := tasks.Connect(redisURL)
		require.NoError(t, err)
		t.Cleanup(func() { _ = rdb.Close() })
		s.lanes = append(s.lanes, &crashLane{
			t: t, scenario: scenario, program: program, server: server, redisURL: redisURL, rdb: rdb, name: fmt.Sprintf("lane%d", i), box: box,
		})
	}
	s.discover(t, dir)
	return s
}

// discover executes the whole scenario, with and without STAFFELN_STUCK_RESET, and collects the external calls.
func (s *crashSuite) discover(t *testing.T, dir string) {
	t.Helper()
	whole := []crashPoint{{}, {reset: true}}
	folders := map[crashPoint]string{whole[0]: filepath.Join(dir, "plain"), whole[1]: filepath.Join(dir, "reset")}
	for _, folder := range folders {
		require.NoError(t, os.Mkdir(folder, 0o700))
	}
	s.runAll(t, whole, folders, func(r *crashRun, wrong []string, err error) {
		if err != nil || len(wrong) > 0 {
			t.Errorf("nobody died: %v\n%s\n%s", err, strings.Join(wrong, "\n"), r.logTails())
		}
	})
	for point, folder := range folders {
		for _, process := range []string{"scheduler", "worker"} {
			text, err := os.ReadFile(filepath.Join(folder, process))
			require.NoError(t, err)
			for line := range strings.Lines(string(text)) {
				call, lines, _ := strings.Cut(strings.TrimSpace(line), "\t")
				for one := range strings.FieldsSeq(lines) {
					s.lines[one] = true
				}
				if known := (crashPoint{process: process, call: call}); !s.calls[known] {
					s.calls[crashPoint{reset: point.reset, process: process, call: call}] = true
				}
			}
		}
	}
	for p := range s.calls { // a call that both runs reach is tested without the reset
		if p.reset && s.calls[crashPoint{process: p.process, call: p.call}] {
			delete(s.calls, p)
		}
	}
}

// points returns all crash points: before each call, and after each call that can have an effect. A crash after a read is the
// same as a crash before the next call.
func (s *crashSuite) points() (all []crashPoint) {
	order := func(a, b crashPoint) int { return strings.Compare(a.String(), b.String()) }
	for _, p := range slices.SortedFunc(maps.Keys(s.calls), order) {
		p.side, p.number = "before", 1
		all = append(all, p)
		operation := strings.Fields(p.call)[1]
		if !slices.Contains([]string{"read", "begin", "GET", "GetTaskInfo", "zscore", "ping"}, operation) {
			p.side = "after"
			all = append(all, p)
		}
	}
	return all
}

// runAll executes runs, one at a time in each lane.
func (s *crashSuite) runAll(t *testing.T, points []crashPoint, folders map[crashPoint]string, judge func(*crashRun, []string, error)) {
	t.Helper()
	todo := make(chan crashPoint)
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, lane := range s.lanes {
		wait.Go(func() {
			for p := range todo {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				r, wrong, err := lane.run(ctx, p, folders[p])
				cancel()
				mu.Lock()
				judge(r, wrong, err)
				mu.Unlock()
			}
		})
	}
	for _, p := range points {
		todo <- p
	}
	close(todo)
	wait.Wait()
}

// killAt kills a process at each of the crash points.
func (s *crashSuite) killAt(t *testing.T, points []crashPoint) {
	t.Helper()
	began, missed := time.Now(), 0
	s.runAll(t, points, nil, func(r *crashRun, wrong []string, err error) {
		if !r.died {
			missed++
			t.Logf("not reached this time: %s", r.point)
		}
		if err != nil || len(wrong) > 0 {
			t.Errorf("died (%t) at: %s\nreplay: CRASH_POINT='%s' make test PACKAGES=./internal/e2e/crash FLAGS='-run TestSomeCrashPoints -count=1'\n%v\n%s\n%s",
				r.died, r.point, r.point, err, strings.Join(wrong, "\n"), r.logTails())
		}
	})
	t.Logf("%d points in %s, %d not reached", len(points), time.Since(began).Round(time.Second), missed)
	require.LessOrEqual(t, missed, len(points)/5, "the points are no longer those that are crossed")
}

// logTails returns the last lines of the logs.
func (r *crashRun) logTails() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.logs)) {
		fmt.Fprintf(&b, "log of the %s:\n%s\n", name, r.logs[name])
	}
	return b.String()
}
