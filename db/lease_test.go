package db

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyOneOfFiftyConcurrentLeasesSucceeds(t *testing.T) {
	t.Parallel()
	h := newUnsteppedHarness(t)
	h.volume("v", nil)
	for range 5 {
		var won, refused atomic.Int32
		var lease atomic.Pointer[Lease]
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				c, err := h.db.Lease(h.ctx, "v", "test", time.Minute)
				switch {
				case err == nil:
					won.Add(1)
					lease.Store(c)
				case errors.Is(err, ErrLeased):
					refused.Add(1)
				}
			})
		}
		group.Wait()
		assert.EqualValues(t, 1, won.Load())
		assert.EqualValues(t, 49, refused.Load())
		require.NoError(t, lease.Load().Release(h.ctx))
	}
}

func TestLeaseWritesOnlyLeaseColumns(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("w", nil)
	var c *Lease
	lines := h.changes(func() { c = h.lease("v") })
	assert.Equal(t, []string{
		"volumes v lease_kind: null -> test", "volumes v lease_token: null -> " + c.token, "volumes v lease_until: null -> +10m0s",
	}, lines)
	assert.Equal(t, base, c.Now)
	assert.Equal(t, base.Add(10*time.Minute), c.Until)
	h.changesNothing(func() {
		_, err := h.db.Lease(h.ctx, "v", "other", time.Hour)
		require.ErrorIs(t, err, ErrLeased)
	})
	lines = h.changes(func() { require.NoError(t, c.Release(h.ctx)) })
	assert.Equal(t, []string{
		"volumes v lease_kind: test -> null", "volumes v lease_token: " + c.token + " -> null", "volumes v lease_until: +10m0s -> null",
	}, lines)
}

func TestLeaseExpiresExactlyAtItsEnd(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	h.clock.Set(c.Until.Add(-time.Microsecond))
	_, err := h.db.Lease(h.ctx, "v", "late", time.Minute)
	require.ErrorIs(t, err, ErrLeased, "a microsecond before its end it holds")
	r, err = c.StartCreation(h.ctx, r, r.Kind, "name", hour)
	require.NoError(t, err, "and its writes are taken")
	require.NoError(t, c.RemovalDone(h.ctx))

	h.clock.Set(c.Until)
	h.changesNothing(func() {
		_, err = c.Accept(h.ctx, r, "b")
		require.ErrorIs(t, err, ErrStale)
		require.ErrorIs(t, c.RemovalDone(h.ctx), ErrStale)
	})
	_, err = h.db.Lease(h.ctx, "v", "next", time.Minute)
	require.NoError(t, err, "at its end another takes it")
}

func TestExpiredLeaseHolderWritesNothing(t *testing.T) {
	t.Parallel()
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			for shape := range allowedMoves[name] {
				h.exec("DELETE FROM records")
				h.exec("DELETE FROM volumes")
				late, r := h.shaped(shape)
				h.clock.Step(10 * time.Minute)
				h.lease("v")
				h.changesNothing(func() {
					_, err := move(h, late, r)
					require.ErrorIs(t, err, ErrStale, shape)
					require.ErrorIs(t, late.RemovalDone(h.ctx), ErrStale)
					require.NoError(t, late.Release(h.ctx))
				})
			}
		})
	}
}

func TestReleasedLeaseIsStale(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	require.NoError(t, c.Release(h.ctx))
	h.changesNothing(func() {
		_, err := c.Withdraw(h.ctx, r, why)
		require.ErrorIs(t, err, ErrStale)
		require.NoError(t, c.Release(h.ctx), "twice is once")
	})
}

func TestConcurrentMovesOfOneRecordSucceedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	var done, stale atomic.Int32
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := c.Withdraw(h.ctx, r, why)
			if err == nil {
				done.Add(1)
			} else if errors.Is(err, ErrStale) {
				stale.Add(1)
			}
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, done.Load())
	assert.EqualValues(t, 19, stale.Load())
}

// A write that began in time locks the volume until it ends. Nobody can take the lease meanwhile, even if the write waits for
// the record until after the lease's end.
func TestVolumeIsNotLeasedAgainWhileItsRecordIsWritten(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	tx, err := h.db.pool.Begin(h.ctx)
	require.NoError(t, err)
	_, err = tx.Exec(h.ctx, "UPDATE records SET cinder_status = 'held' WHERE id = 'r'")
	require.NoError(t, err)

	var group sync.WaitGroup
	var moved, leased error
	group.Go(func() { _, moved = c.Withdraw(h.ctx, r, why) })
	h.waitForLocks(1)
	h.clock.Set(c.Until)
	group.Go(func() { _, leased = h.db.Lease(h.ctx, "v", "next", time.Minute) })
	h.waitForLocks(2)
	require.NoError(t, tx.Commit(h.ctx))
	group.Wait()
	require.NoError(t, moved)
	require.NoError(t, leased)
	assert.EqualValues(t, "withdrawn", h.read("r").State)
}
