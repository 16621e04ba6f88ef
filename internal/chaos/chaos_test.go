package chaos

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

var (
	seeds  = flag.Int("seeds", 40, "how many random schedules are run")
	first  = flag.Uint64("first", 1, "the first seed")
	single = flag.Uint64("seed", 0, "the one seed to replay, with its whole trace; 0: none")
	lines  = flag.Int("lines", 60, "how many of the last lines of a failing trace are told; 0: all")
	most   = flag.Int("failures", 5, "after how many failing seeds to stop")
)

func itoa(n int) string { return strconv.Itoa(n) }

// play runs one seed to its verdict.
func play(ctx context.Context, p *place, seed uint64, log zerolog.Logger) (*world, error) {
	w, err := newWorld(ctx, p, seed, log)
	if err != nil {
		return nil, err
	}
	w.trouble()
	w.rest()
	w.othersGoOn()
	w.judge()
	return w, nil
}

func TestRandomSchedules(t *testing.T) {
	if *single != 0 {
		replay(t, *single)
		return
	}
	began := time.Now()
	var next, done, failed, calls atomic.Int64
	var wait sync.WaitGroup
	for range max(2, runtime.GOMAXPROCS(0)) {
		p := newPlace(t)
		wait.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(*seeds) || failed.Load() >= int64(*most) {
					return
				}
				seed := *first + uint64(i) - 1
				w, err := play(t.Context(), p, seed, zerolog.Nop())
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
					return
				}
				calls.Add(int64(len(w.lines)))
				if len(w.violations) > 0 {
					failed.Add(1)
					t.Error(w.report())
				}
				if n := done.Add(1); n%1000 == 0 {
					fmt.Fprintf(os.Stderr, "%d seeds in %s\n", n, time.Since(began).Round(time.Second))
				}
			}
		})
	}
	wait.Wait()
	t.Logf("%d seeds from %d on in %s, %d calls and deeds each, %d of them failed",
		done.Load(), *first, time.Since(began).Round(time.Millisecond), calls.Load()/max(1, done.Load()), failed.Load())
}

// report tells what a failing seed did.
func (w *world) report() string {
	n := *lines
	if n == 0 {
		n = len(w.lines)
	}
	text := fmt.Sprintf("seed %d fails; again: make chaos SEED=%d\n%s\n%s\n%s", w.seed, w.seed, w.describe(),
		strings.Join(w.last(n), "\n"), strings.Join(w.violations, "\n"))
	return w.names().Replace(text)
}

// describe tells the rules of a run.
func (w *world) describe() string {
	s := w.set
	return fmt.Sprintf("%+v\ninterval %s, depth %d, retention %s, shorten %s, floor %d, sweep %s, backups take %s, caps %d %d %d %d %d, stuck reset %v",
		w.style, s.BackupMinInterval.Std(), s.FullBackupDepth, s.RetentionTime, s.RetentionShortenDelay.Std(), s.MinRestorePoints, s.SweepPeriod.Std(), w.backupTime,
		s.MaxBackupsInProgress, s.MaxBackupsInProgressPerProject, s.MaxRemovalsInProgress, s.MaxFullsOutOfTurn, s.MaxBackupsStuck, s.StuckReset)
}

// replay runs one seed and tells all of it, with what the program logs.
func replay(t *testing.T, seed uint64) {
	t.Helper()
	p := newPlace(t)
	var w *world
	log := &logLines{}
	w, err := newWorld(t.Context(), p, seed, zerolog.New(log).Level(zerolog.InfoLevel))
	require.NoError(t, err)
	log.world = w
	w.trouble()
	w.rest()
	w.othersGoOn()
	w.judge()
	fmt.Println(w.names().Replace(w.describe() + "\n" + strings.Join(w.lines, "\n")))
	for _, v := range w.violations {
		t.Error(w.names().Replace(v))
	}
}

// logLines puts what the program logs between the lines of the trace, without counting it.
type logLines struct{ world *world }

func (l *logLines) Write(line []byte) (int, error) {
	if l.world != nil {
		l.world.lines = append(l.world.lines, "    "+strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// The same seed brings the same run again, to the last call: without that no failure could be looked into.
func TestASeedReplaysExactly(t *testing.T) {
	p, other := newPlace(t), newPlace(t)
	for seed := uint64(1); seed <= 4; seed++ {
		one, err := play(t.Context(), p, seed, zerolog.Nop())
		require.NoError(t, err)
		again, err := play(t.Context(), other, seed, zerolog.Nop())
		require.NoError(t, err)
		require.Equal(t, strings.Join(one.lines, "\n"), strings.Join(again.lines, "\n"), "seed %d", seed)
		require.Equal(t, one.hash, again.hash)
	}
}
