package db

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (h *harness) pause(projectID string) {
	h.t.Helper()
	_, err := h.db.Pause(h.ctx, Pause{ProjectID: projectID, Who: "me@here", Why: "maintenance"})
	require.NoError(h.t, err)
}

func (h *harness) pauses() (all Pauses) {
	h.t.Helper()
	h.inSnapshot(func(l *Snapshot) {
		var err error
		all, err = l.Pauses(h.ctx)
		require.NoError(h.t, err)
	})
	ofRun, err := h.run().Pauses(h.ctx)
	require.NoError(h.t, err)
	assert.Equal(h.t, all, ofRun)
	return all
}

func TestPauseAndResumeWriteOneRow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.seed()
	for _, projectID := range []string{"p", ""} {
		name, begun, ended := "pauses "+projectID, false, false
		var err error
		lines := h.changes(func() {
			begun, err = h.db.Pause(h.ctx, Pause{ProjectID: projectID, Who: "me", Why: "m\x00intenance", Since: base.Add(hour)})
			require.NoError(t, err)
		})
		assert.True(t, begun)
		assert.Equal(t, []string{"+ " + name}, lines)
		assert.Equal(t, Pauses{{projectID, base, "me", "m\uFFFDintenance"}}, h.pauses())

		h.clock.Step(time.Minute)
		lines = h.changes(func() {
			begun, err = h.db.Pause(h.ctx, Pause{ProjectID: projectID, Who: "you", Why: "still"})
			require.NoError(t, err)
		})
		assert.False(t, begun, "it continues")
		assert.Equal(t, []string{name + " who: me -> you", name + " why: m\uFFFDintenance -> still"}, lines)

		lines = h.changes(func() { ended, err = h.db.Resume(h.ctx, projectID); require.NoError(t, err) })
		assert.True(t, ended)
		assert.Equal(t, []string{"- " + name}, lines)
		h.changesNothing(func() { ended, err = h.db.Resume(h.ctx, projectID); require.NoError(t, err) })
		assert.False(t, ended)
		h.clock.Set(base)
	}
}

func TestPausesOfAllAndOfProjectsAreIndependent(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, projectID := range []string{"q", "", "p"} {
		h.pause(projectID)
	}
	all := h.pauses()
	require.Len(t, all, 3)
	for project, by := range map[string]string{"p": "", "elsewhere": ""} {
		assert.Equal(t, by, all.Of(project).ProjectID, "that of all comes first")
	}
	lines := h.changes(func() { _, err := h.db.Resume(h.ctx, ""); require.NoError(t, err) })
	assert.Equal(t, []string{"- pauses "}, lines)
	all = h.pauses()
	assert.Equal(t, "p", all.Of("p").ProjectID)
	assert.Equal(t, "q", all.Of("q").ProjectID)
	assert.Nil(t, all.Of("elsewhere"))
	assert.Nil(t, Pauses(nil).Of("p"))
}

// All moves under each pause: those that start something fail and write nothing, all others write the same columns as without
// a pause.
func TestPauseRejectsOnlyMovesThatStartSomething(t *testing.T) {
	t.Parallel()
	begins := map[string]bool{"StartCreation": true, "StartRemoval": true, "Repair": true}
	for projectID, refuses := range map[string]bool{"p": true, "": true, "elsewhere": false} {
		t.Run("of "+projectID, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.pause(projectID)
			for name, move := range moves {
				for shape, want := range allowedMoves[name] {
					h.exec("DELETE FROM records")
					h.exec("DELETE FROM volumes")
					c, r := h.shaped(shape)
					var after backup.Record
					var err error
					lines := h.changes(func() { after, err = move(h, c, r) })
					if refuses && begins[name] {
						require.ErrorIs(t, err, ErrPaused, "%s of %s", name, shape)
						require.NotErrorIs(t, err, ErrStale)
						assert.Empty(t, lines, "%s of %s", name, shape)
						assert.Equal(t, r, after)
						continue
					}
					require.NoError(t, err, "%s of %s", name, shape)
					assert.Equal(t, sorted(want), of("records r", lines), "%s of %s", name, shape)
				}
			}
		})
	}
}

// The record's project decides, not the volume's current project.
func TestPauseOfTheFormerProjectAppliesToItsRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"project_id": "new owner"})
	r := h.record("r", point("b", hour))
	h.pause("p")
	c := h.lease("v")
	h.changesNothing(func() { _, err := moves["StartRemoval"](h, c, r); require.ErrorIs(t, err, ErrPaused) })
}

func TestExpiredLeaseIsStaleNotPaused(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	h.pause("elsewhere")
	h.clock.Set(c.Until)
	_, err := moves["StartCreation"](h, c, r)
	require.ErrorIs(t, err, ErrStale)
	require.NotErrorIs(t, err, ErrPaused)
}

// A StartCreation that checked for pauses before the pause, and waits for a row, is committed before the pause returns.
func TestPauseWaitsForEarlierMoves(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]string{"StartCreation": "planned", "StartRemoval": "available"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			c, r := h.shaped(shape)
			tx, err := h.db.pool.Begin(h.ctx)
			require.NoError(t, err)
			defer func() { _ = tx.Rollback(h.ctx) }() // where it has not been committed
			_, err = tx.Exec(h.ctx, "UPDATE records SET cinder_status = 'held' WHERE id = 'r'")
			require.NoError(t, err)

			var group sync.WaitGroup
			var moved, paused error
			returned := make(chan string, 1)
			group.Go(func() { _, moved = moves[name](h, c, r) })
			h.waitForLocks(1)
			group.Go(func() {
				_, paused = h.db.Pause(h.ctx, Pause{ProjectID: "p"})
				var state string
				_ = h.db.pool.QueryRow(h.ctx, "SELECT state FROM records WHERE id = 'r'").Scan(&state)
				returned <- state
			})
			h.waitForLocksOr(2, func() bool { return len(returned) > 0 })
			require.Empty(t, returned, "the pause does not wait")
			require.NoError(t, tx.Commit(h.ctx))
			group.Wait()
			require.NoError(t, moved)
			require.NoError(t, paused)
			assert.Equal(t, map[string]string{"StartCreation": "creating", "StartRemoval": "deleting"}[name], <-returned)
			h.changesNothing(func() {
				_, err := moves[name](h, c, h.read("r"))
				require.ErrorIs(t, err, ErrPaused, "not again")
			})
		})
	}
}

// A move that begins while the pause is being written waits and then sees the pause.
func TestMoveDuringAPauseWriteWaitsAndIsRejected(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	tx, err := h.db.pool.Begin(h.ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(h.ctx) }() // where it has not been committed
	for _, q := range []string{exclusivePauseLock, "INSERT INTO pauses VALUES ('p', staffeln_now(), '', '')"} {
		_, err = tx.Exec(h.ctx, q)
		require.NoError(t, err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := moves["StartCreation"](h, c, r)
		asked <- err
	}()
	h.waitForLocksOr(1, func() bool { return len(asked) > 0 })
	require.Empty(t, asked, "it does not wait")
	require.NoError(t, tx.Commit(h.ctx))
	require.ErrorIs(t, <-asked, ErrPaused)
	assert.Equal(t, r, h.read("r"))
}

func TestMovesThatStartSomethingDoNotBlockEachOther(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("planned")
	tx, err := h.db.pool.Begin(h.ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(h.ctx) }()
	_, err = tx.Exec(h.ctx, sharedPauseLock)
	require.NoError(t, err)
	asked := make(chan error, 1)
	go func() {
		_, err := moves["StartCreation"](h, c, r)
		asked <- err
	}()
	h.waitForLocksOr(1, func() bool { return len(asked) > 0 })
	require.Len(t, asked, 1, "two may begin at once")
	require.NoError(t, <-asked)
}

func TestAtWorkReportsPausedProjects(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("ours", shapes["planned"])
	h.plan("theirs", shapes["planned"].with(row{"project_id": "q"}))
	h.volume("due", row{"removal_due_at": base})
	h.volume("due there", row{"removal_due_at": base, "project_id": "q"})
	paused := func() map[string]bool {
		all := map[string]bool{}
		for key, w := range h.work() {
			all[key] = w.Paused
		}
		return all
	}
	for projectID, want := range map[string][4]bool{
		"elsewhere": {}, "p": {true, false, true, false}, "q": {false, true, false, true}, "": {true, true, true, true},
	} {
		h.pause(projectID)
		got := paused()
		assert.Equal(t, want, [4]bool{got["v-ours/ours"], got["v-theirs/theirs"], got["due/"], got["due there/"]}, projectID)
		_, err := h.db.Resume(h.ctx, projectID)
		require.NoError(t, err)
	}
}

func TestSubjectIsPausedWithItsProject(t *testing.T) {
	t.Parallel()
	v := seen("v")
	v.GoneAt = &base
	want := backup.Subject{Volume: v.AsOf(), Protected: true, Gone: true}
	assert.Equal(t, want, v.Subject(nil))
	assert.Equal(t, want, v.Subject(Pauses{{ProjectID: "elsewhere"}}))
	want.Paused = true
	assert.Equal(t, want, v.Subject(Pauses{{ProjectID: "p"}}))
	assert.Equal(t, want, v.Subject(Pauses{{}}))
}
