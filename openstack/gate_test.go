package openstack

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// locking is a Keystone that locks an account after five failed logins.
var locking = cloudsim.Options{LockoutAttempts: 5, LockoutTime: 30 * time.Minute}

// withPasswordFile makes a tenant whose service user's password is in a file.
func withPasswordFile(t *testing.T, o cloudsim.Options) (n *tenant, passwordFile string) {
	t.Helper()
	w := newSimulation(t, o)
	passwordFile = file(t, "password", w.rc["OS_PASSWORD"]+"\n")
	w.rc["OS_PASSWORD_FILE"] = passwordFile
	delete(w.rc, "OS_PASSWORD")
	project := w.sim.AddProject("acme")
	return &tenant{simulation: w, cloud: w.connect(t, retrying), project: project, volume: w.sim.AddVolume(project, "data", 1)}, passwordFile
}

// rotate changes the service user's password, which revokes its tokens.
func (w *simulation) rotate(password string) {
	w.sim.SetPassword(w.sim.Cast().Service, password)
	w.sim.RevokeTokens(w.sim.Cast().Service)
}

func TestRotatedPasswordCostsFewLogins(t *testing.T) {
	t.Parallel()
	n, passwordFile := withPasswordFile(t, locking)
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	_, refused := n.cloud.LoginRefused()
	require.False(t, refused)
	n.rotate("another")

	began := n.clock().now()
	projects := []string{n.project, n.sim.AddProject("b"), n.sim.AddProject("c")}
	var logins []int // in each hour
	for range 24 {
		n.sim.ResetCounts()
		for range 360 {
			n.both(10 * time.Second)
			for _, project := range projects {
				_, err := n.cloud.VolumeBackups(t.Context(), project, n.volume)
				requireMeaning(t, backup.MeansUnauthorised, err)
			}
			_, err := n.cloud.Observe(t.Context())
			requireMeaning(t, backup.MeansUnauthorised, err)
		}
		logins = append(logins, n.sim.Counts()[tokenRoute])
	}
	assert.LessOrEqual(t, logins[0], 9)
	for _, hour := range logins[1:] {
		assert.LessOrEqual(t, hour, 2)
	}
	assert.Positive(t, logins[23], "a login is still tried in the last hour of the day")
	since, refused := n.cloud.LoginRefused()
	assert.True(t, refused)
	assert.WithinDuration(t, began, since, time.Minute)
	locked, _ := n.sim.LockedOut(n.sim.Cast().Service)
	assert.False(t, locked, "our own tries do not keep the account locked")
	_, err = n.cloud.Observe(t.Context())
	require.ErrorContains(t, err, "OS_PASSWORD_FILE")
	require.ErrorContains(t, err, "the next try is at")

	require.NoError(t, os.WriteFile(passwordFile, []byte("another\n"), 0o600))
	_, err = n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err, "a changed password is tried at once")
	_, err = n.cloud.Observe(t.Context())
	require.NoError(t, err)
	_, refused = n.cloud.LoginRefused()
	assert.False(t, refused)
}

func TestPasswordFileIsReadBeforeEachLogin(t *testing.T) {
	t.Parallel()
	n, passwordFile := withPasswordFile(t, locking)
	require.NoError(t, os.WriteFile(passwordFile, []byte("another\n"), 0o600))
	n.rotate("another")
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	_, failed := n.sim.LockedOut(n.sim.Cast().Service)
	assert.Zero(t, failed)

	require.NoError(t, os.Remove(passwordFile)) // as during a replacement of the file
	n.sim.RevokeTokens(n.sim.Cast().Service)
	_, err = n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err, "the password before is still good")
}

func TestManyProjectsDoNotLockTheAccount(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{LockoutAttempts: 6, LockoutTime: time.Hour})
	projects := make([]string, 50)
	for i := range projects {
		projects[i] = n.sim.AddProject("p")
	}
	n.rotate("another")
	n.sim.ResetCounts()
	next := make(chan string, len(projects))
	for _, p := range projects {
		next <- p
	}
	for _, err := range together(len(projects), func() error { _, err := n.cloud.VolumeBackups(t.Context(), <-next, n.volume); return err }) {
		requireMeaning(t, backup.MeansUnauthorised, err)
	}
	assert.LessOrEqual(t, n.sim.Counts()[tokenRoute], loginsAtOnce+1)
	locked, _ := n.sim.LockedOut(n.sim.Cast().Service)
	assert.False(t, locked)
}

func TestProjectWithoutRoleDoesNotCloseTheGate(t *testing.T) {
	t.Parallel()
	n := newTenant(t, locking)
	n.sim.RevokeInherited(n.sim.Cast().Service, "default", "admin")
	for range 10 {
		_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
		requireMeaning(t, backup.MeansNoRole, err)
	}
	_, refused := n.cloud.LoginRefused()
	assert.False(t, refused)
}

func TestUnlockedAccountRecoversByItself(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	old := n.rc["OS_PASSWORD"]
	n.rotate("another")
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	requireMeaning(t, backup.MeansUnauthorised, err)
	n.sim.SetPassword(n.sim.Cast().Service, old)
	_, err = n.cloud.Volume(t.Context(), n.project, n.volume)
	requireMeaning(t, backup.MeansUnauthorised, err)
	n.both(firstLoginPause)
	_, err = n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	_, refused := n.cloud.LoginRefused()
	assert.False(t, refused)
}
