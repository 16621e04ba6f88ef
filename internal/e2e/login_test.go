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

// A rotated password is one finding and one log line, costs few logins, and ends when the file contains the new password (B7).
func TestRotatedPasswordIsOneFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.LockoutAttempts, o.LockoutTime = 5, time.Hour })
	passwordFile := filepath.Join(t.TempDir(), "password")
	env := w.Sim.OpenRC(w.CloudURL)
	require.NoError(t, os.WriteFile(passwordFile, []byte(env["OS_PASSWORD"]), 0o600))
	env["OS_PASSWORD_FILE"], env["OS_PASSWORD"] = passwordFile, ""
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(t, err)
	w.StopWorker()
	w.Cloud, err = openstack.Connect(w.Ctx, credentials, openstack.Config{SecretRoles: []string{"admin"}})
	require.NoError(t, err)
	w.Assemble()
	w.StopWorker = w.StartWorker()
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()

	service := w.Sim.Cast().Service
	w.Sim.SetPassword(service, "another")
	w.Sim.RevokeTokens(service)
	w.Sim.ResetCounts()
	for range 20 {
		w.Step(w.Settings.BackupServicePeriod.Std())
		require.Error(t, w.Scheduler.Plan(w.Ctx, w.BeginRun()))
		found := w.findings(backup.Unauthorised)
		require.Len(t, found, 1)
		require.Equal(t, service, found[0].Object)
	}
	require.LessOrEqual(t, w.Sim.Counts()["POST /identity/v3/auth/tokens"], 3)
	require.Contains(t, w.findings(backup.Unauthorised)[0].Detail, "OS_PASSWORD_FILE")
	require.Equal(t, 1, w.logged("error", "Keystone refuses the service user's login"))
	require.Equal(t, 1, w.Count("state = 'planned'"), "nothing withdrawn")
	_, refused := w.Cloud.LoginRefused()
	require.True(t, refused)

	require.NoError(t, os.WriteFile(passwordFile, []byte("another"), 0o600))
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Empty(t, w.findings(backup.Unauthorised))
	require.Equal(t, 1, w.logged("info", "Keystone accepts the service user's login again"))
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	w.requireInvariants()
}
