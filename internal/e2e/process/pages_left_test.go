package process

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// pagesLock makes the database clock wait for a lock on the connections of pages.
const pagesLock = `
	CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN
		IF current_setting('application_name') = 'staffeln-pages' THEN PERFORM pg_advisory_xact_lock_shared(12); END IF;
		RETURN clock_timestamp(); END $$`

// hungPages is a program whose pages hang until release is called.
type hungPages struct {
	*rig.Deployment

	user    *cinderUser
	address string
	release func()
}

func newHungPages(t *testing.T, command string) *hungPages {
	t.Helper()
	p := &hungPages{address: rig.FreeAddress(t)}
	p.Deployment = rig.NewDeployment(t, cloudsim.Options{TokenLife: time.Hour, BackupTime: cloudsim.Fixed(100 * time.Millisecond)},
		map[string]string{"STAFFELN_API_LISTEN": p.address, "STAFFELN_API_RATE_LIMIT": "0"})
	p.user = newCinderUser(p.Deployment, "alice", "acme")
	rig.Launch(t, p.Env, command)
	p.Eventually("a page is served", func() bool { status, _ := p.get(p.Ctx); return status == http.StatusOK })
	_, err := p.DB.Exec(p.Ctx, pagesLock)
	require.NoError(t, err)
	held, err := p.DB.Acquire(p.Ctx)
	require.NoError(t, err)
	_, err = held.Exec(p.Ctx, `SELECT pg_advisory_lock(12)`)
	require.NoError(t, err)
	p.release = sync.OnceFunc(func() {
		_, _ = held.Exec(context.WithoutCancel(p.Ctx), `SELECT pg_advisory_unlock(12)`)
		held.Release()
	})
	t.Cleanup(p.release)
	return p
}

// get requests a page and returns its status or the error.
func (p *hungPages) get(ctx context.Context) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/v1/volumes", http.NoBody)
	if err != nil {
		return 0, err
	}
	request.Header.Set("X-Auth-Token", p.user.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// waitHanging waits until n pages hang. The limit is short, because each page times out after ten seconds.
func (p *hungPages) waitHanging(n int) {
	p.T.Helper()
	testkit.Eventually(p.T, "the expected number of pages hangs", 6*time.Second, func() bool {
		var hang int
		require.NoError(p.T, p.DB.QueryRow(p.Ctx, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'staffeln-pages' AND wait_event_type = 'Lock'`).Scan(&hang))
		return hang == n
	})
}

// When a client closes its request, Postgres stops its query, and the connection is free for the next request: more such
// requests than connections block nobody.
func TestPageQueryEndsWhenTheClientDisconnects(t *testing.T) {
	t.Parallel()
	p := newHungPages(t, "api")
	for range 2 * db.PageConnections {
		ctx, leave := context.WithCancel(p.Ctx)
		left := make(chan error, 1)
		go func() { _, err := p.get(ctx); left <- err }()
		p.waitHanging(1)
		leave()
		require.ErrorIs(t, <-left, context.Canceled)
		p.waitHanging(0)
	}
	p.release()
	status, err := p.get(p.Ctx)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
}

// Hung pages in `staffeln all` only use their own connections, and further pages get 503. The delete check responds, and the
// scheduler and the worker back up a new volume.
func TestHangingPagesDelayNothingElse(t *testing.T) {
	t.Parallel()
	p := newHungPages(t, "all")
	ctx, leave := context.WithCancel(p.Ctx)
	t.Cleanup(leave)
	var asked sync.WaitGroup
	for range db.PageConnections {
		asked.Go(func() { _, _ = p.get(ctx) })
	}
	p.waitHanging(db.PageConnections)
	rejected := make(chan int, 20)
	soon, cancel := context.WithTimeout(p.Ctx, 6*time.Second)
	defer cancel()
	for range cap(rejected) {
		asked.Go(func() { status, _ := p.get(soon); rejected <- status })
	}
	for range cap(rejected) {
		require.Equal(t, http.StatusServiceUnavailable, <-rejected)
	}
	status, _ := checkDirectly(t, p.address, "00000000-0000-4000-8000-000000000001")
	require.Equal(t, http.StatusOK, status)
	leave()
	asked.Wait()

	ctx, leave = context.WithCancel(p.Ctx)
	t.Cleanup(leave)
	stop := make(chan struct{})
	for range 2 * db.PageConnections { // rejected clients try again
		asked.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = p.get(ctx)
				}
			}
		})
	}
	p.waitHanging(db.PageConnections)
	volume := p.Sim.AddVolume(p.user.project, "data", 1)
	p.Sim.Attach(p.Sim.AddServer(p.user.project, "web", map[string]string{"__staffeln_backup": "true"}), volume)
	p.Eventually("the new volume is backed up", func() bool { return p.Count("volume_id = $1 AND state = 'available'", volume) == 1 })
	p.waitHanging(db.PageConnections)
	close(stop)
	leave()
	asked.Wait()
}
