package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/openstack"
)

// A rotated password is one finding and one line in the log, costs few logins, and ends when the file has the new one (B7).
func TestRotatedPasswordIsOneFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.LockoutAttempts, o.LockoutTime = 5, time.Hour })
	passwordFile := filepath.Join(t.TempDir(), "password")
	env := w.sim.OpenRC(w.cloudURL)
	require.NoError(t, os.WriteFile(passwordFile, []byte(env["OS_PASSWORD"]), 0o600))
	env["OS_PASSWORD_FILE"], env["OS_PASSWORD"] = passwordFile, ""
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(t, err)
	w.stop()
	w.cloud, err = openstack.Connect(w.ctx, credentials, openstack.Config{SecretRoles: []string{"admin"}})
	require.NoError(t, err)
	w.assemble()
	w.stop = w.serve()
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.plan()

	service := w.sim.Cast().Service
	w.sim.SetPassword(service, "another")
	w.sim.RevokeTokens(service)
	w.sim.ResetCounts()
	for range 20 {
		w.step(w.set.BackupServicePeriod.Std())
		require.Error(t, w.sched.Plan(w.ctx, w.beat()))
		found := w.findings(backup.Unauthorised)
		require.Len(t, found, 1)
		require.Equal(t, service, found[0].Object)
	}
	require.LessOrEqual(t, w.sim.Counts()["POST /identity/v3/auth/tokens"], 3)
	require.Contains(t, w.findings(backup.Unauthorised)[0].Detail, "OS_PASSWORD_FILE")
	require.Equal(t, 1, w.logged("error", "Keystone refuses the service user's login"))
	require.Equal(t, 1, w.count("state = 'planned'"), "nothing withdrawn")
	_, refused := w.cloud.LoginRefused()
	require.True(t, refused)

	require.NoError(t, os.WriteFile(passwordFile, []byte("another"), 0o600))
	w.step(w.set.BackupServicePeriod.Std())
	w.plan()
	require.Empty(t, w.findings(backup.Unauthorised))
	require.Equal(t, 1, w.logged("info", "Keystone accepts the service user's login again"))
	w.run(time.Hour, time.Minute)
	require.Equal(t, "available", w.story(volumes[0]))
	w.lawful()
}
