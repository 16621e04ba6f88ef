package openstack

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// together calls f from many goroutines at once.
func together(n int, f func() error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { <-start; errs[i] = f() })
	}
	close(start)
	group.Wait()
	return errs
}

func TestConcurrentCallersShareOneClient(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.ResetCounts()
	for _, err := range together(50, func() error { _, err := n.cloud.Volume(t.Context(), n.project, n.volume); return err }) {
		require.NoError(t, err)
	}
	assert.Equal(t, 1, n.sim.Counts()[tokenRoute])
}

func TestConcurrentCallersRenewExpiredTokenOnce(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	n.step(2 * time.Hour) // only the cloud's clock: by our clock the token is still valid
	n.sim.ResetCounts()
	for _, err := range together(50, func() error { _, err := n.cloud.Volume(t.Context(), n.project, n.volume); return err }) {
		require.NoError(t, err)
	}
	assert.Equal(t, 1, n.sim.Counts()[tokenRoute])
}

func TestTokenIsRenewedBeforeItExpires(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{TokenLife: time.Hour})
	b := n.backup(t)
	n.sim.ResetCounts()
	n.both(54 * time.Minute)
	_, err := n.cloud.Backup(t.Context(), n.project, b.ID)
	require.NoError(t, err)
	assert.Zero(t, n.sim.Counts()[tokenRoute])
	n.both(2 * time.Minute)
	for _, err := range together(50, func() error { _, err := n.cloud.Backup(t.Context(), n.project, b.ID); return err }) {
		require.NoError(t, err)
	}
	assert.Equal(t, 1, n.sim.Counts()[tokenRoute])
	assert.Equal(t, 51, n.sim.Counts()[readRoute], "no call was refused and repeated")
}

// both moves the cloud's clock and ours.
func (w *simulation) both(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.ours = w.now.Add(d), w.ours.Add(d)
}

func TestCreationIsRepeatedOnceWithNewToken(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	n.sim.RevokeTokens(n.sim.Cast().Service)
	n.sim.ResetCounts()
	_, err = n.cloud.CreateBackup(t.Context(), n.request())
	require.NoError(t, err)
	assert.Equal(t, 2, n.sim.Counts()[createRoute])
	assert.Len(t, n.sim.Backups(), 1)
}

func TestCancelledRenewalIsRepeatedByOtherCaller(t *testing.T) {
	t.Parallel()
	const route = "GET /volume/v3/{project}/volumes/{volume}"
	refused := make(chan struct{}, 10)
	n := newTenant(t, cloudsim.Options{}, WithObserver(func(_, _ string, status int, _ time.Duration) {
		if status == http.StatusUnauthorized {
			refused <- struct{}{}
		}
	}))
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	n.step(2 * time.Hour)
	stall := func(route string) (reached chan struct{}, release func()) {
		reached = make(chan struct{}, 10)
		return reached, n.sim.AddFault(cloudsim.Fault{
			Route: route, Times: 1, Do: cloudsim.Stall{},
			Match: func(cloudsim.Request) bool { reached <- struct{}{}; return true },
		})
	}
	read := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() { _, err := n.cloud.Volume(ctx, n.project, n.volume); done <- err }()
		return done
	}

	// The second request is in flight, with the old token ...
	sent, release := stall(route)
	second := read(t.Context())
	<-sent
	// ... when the first one requests a new token,
	asked, _ := stall(tokenRoute)
	ctx, cancel := context.WithCancel(t.Context())
	first := read(ctx)
	<-asked
	<-refused
	// ... for which the second one now waits too,
	release()
	<-refused
	// ... and is cancelled.
	cancel()
	require.ErrorIs(t, <-first, context.Canceled)
	require.NoError(t, <-second, "the end of one caller's context is not the end of another's call")
}

func TestMissingRolesAndWrongPasswords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose func(n *tenant)
		want backup.Meaning
	}{
		"the inherited role": {func(n *tenant) { n.sim.RevokeInherited(n.sim.Cast().Service, "default", "admin") }, backup.MeansNoRole},
		"the project":        {func(n *tenant) { n.sim.DeleteProject(n.project) }, backup.MeansProjectGone},
		"it is disabled":     {func(n *tenant) { n.sim.DisableProject(n.project) }, backup.MeansNoRole},
		"the password":       {func(n *tenant) { n.sim.SetPassword(n.sim.Cast().Service, "another") }, backup.MeansUnauthorised},
	} {
		for when, seen := range map[string]bool{"before the first call": false, "between two calls": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				n := newTenant(t, cloudsim.Options{})
				if seen {
					_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
					require.NoError(t, err)
				}
				c.lose(n)
				n.sim.RevokeTokens(n.sim.Cast().Service)
				_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
				fault := requireFault(t, c.want, err)
				assert.NotEmpty(t, fault.Message)
			})
		}
	}
}

func TestAdminRoleIsVerifiedEachTime(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	service, admin := w.sim.Cast().Service, w.sim.Cast().AdminProject
	w.sim.Grant(service, admin, "reader")
	c := w.connect(t, retrying)
	require.NoError(t, c.VerifyAdmin(t.Context()))
	assert.Equal(t, service, c.UserID())
	assert.Equal(t, admin, c.AdminProjectID())
	w.sim.Revoke(service, admin, "admin")
	w.sim.RevokeInherited(service, "default", "admin")
	requireMeaning(t, backup.MeansNotAdmin, c.VerifyAdmin(t.Context()))
	_, err := c.Observe(t.Context())
	requireMeaning(t, backup.MeansNotAdmin, err)
	w.sim.Grant(service, admin, "admin")
	require.NoError(t, c.VerifyAdmin(t.Context()))
}

// A token that was issued while the role was missing keeps its roles until it expires, perhaps a day later: after the role
// is granted again nothing would be listed for so long.
func TestRestoredAdminRoleIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	service, admin := w.sim.Cast().Service, w.sim.Cast().AdminProject
	w.sim.Grant(service, admin, "reader")
	c := w.connect(t, retrying)
	w.sim.Revoke(service, admin, "admin")
	w.sim.RevokeInherited(service, "default", "admin")
	w.sim.RevokeTokens(service)
	requireMeaning(t, backup.MeansNotAdmin, c.VerifyAdmin(t.Context()))
	_, err := c.BackupsIn(t.Context(), backup.StatusCreating)
	requireMeaning(t, backup.MeansNotAdmin, err)
	w.sim.GrantInherited(service, "default", "admin")
	_, err = c.BackupsIn(t.Context(), backup.StatusCreating)
	require.NoError(t, err)
}

func TestNumberOfClientsIsBounded(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{}, func(o *options) { o.maxScopes = 2 })
	projects := []string{n.project, n.sim.AddProject("b"), n.sim.AddProject("c")}
	n.sim.ResetCounts()
	for _, want := range []struct{ project, tokens int }{{0, 1}, {1, 2}, {0, 2}, {2, 3}, {0, 3}, {1, 4}} {
		_, err := n.cloud.VolumeBackups(t.Context(), projects[want.project], n.volume)
		require.NoError(t, err)
		assert.Equal(t, want.tokens, n.sim.Counts()[tokenRoute], "the least recently used one was removed")
	}
}

func TestEncryptedBackupsNeedTheRightToTheirSecret(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	project := w.sim.AddProject("acme")
	volume := w.sim.AddVolume(project, "vault", 1, cloudsim.VolumeOptions{Encrypted: true})
	n := &tenant{simulation: w, cloud: w.connect(t, retrying), project: project, volume: volume}
	b := n.backup(t)
	require.True(t, b.Encrypted)
	without := retrying
	without.SecretRoles = []string{"creator"} // the user staffeln has the roles admin, member and reader
	strict := w.connect(t, without)
	n.sim.ResetCounts()
	b.Encrypted = false // the caller's value alone does not allow the deletion
	requireMeaning(t, backup.MeansSecretRight, strict.DeleteBackup(t.Context(), b))
	requireMeaning(t, backup.MeansSecretRight, strict.ForceDeleteBackup(t.Context(), b))
	assert.Zero(t, n.sim.Counts()[deleteRoute])
	require.NoError(t, strict.ResetBackup(t.Context(), b, backup.StatusAvailable), "no key is touched")

	n.sim.ResetCounts()
	require.NoError(t, n.cloud.DeleteBackup(t.Context(), b))
	assert.Equal(t, 1, n.sim.Counts()[tokenRoute], "a fresh token just before")
	n.step(time.Minute)
	_, err := n.cloud.Backup(t.Context(), project, b.ID)
	requireMeaning(t, backup.MeansNotFound, err)
}

func TestUnencryptedBackupsNeedNoSecret(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	project := w.sim.AddProject("acme")
	n := &tenant{simulation: w, cloud: w.connect(t, Config{}), project: project, volume: w.sim.AddVolume(project, "data", 1)}
	b := n.backup(t)
	w.sim.ResetCounts()
	require.NoError(t, n.cloud.DeleteBackup(t.Context(), b))
	assert.Zero(t, w.sim.Counts()[tokenRoute])
}
