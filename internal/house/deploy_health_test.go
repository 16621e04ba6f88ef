package house

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
)

// monitoringPort is where a process answers by default.
func monitoringPort(t *testing.T, process string) int {
	t.Helper()
	name := "STAFFELN_METRICS_LISTEN"
	if process == "api" {
		name = "STAFFELN_API_LISTEN"
	}
	v := configuration(t)[name]
	require.Contains(t, v.readBy, process)
	_, text, err := net.SplitHostPort(v.fallback)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return port
}

func TestDeployAsksForHealthWhereItIsAnswered(t *testing.T) {
	pages := []string{"/livez", "/readyz"}
	patience := constant(t, "internal/telemetry/health.go", "checkTime") // that /readyz may take
	waits := constant(t, "cmd/staffeln/start.go", "startTime")
	start := map[string]time.Duration{"scheduler": waits, "worker": waits} // until it listens

	for name, s := range compose(t).ours() {
		if name == "migrate" {
			continue // ends by itself
		}
		test := s.Healthcheck.Test
		require.NotEmpty(t, test, "%s: %s has no health check", composeFile, name)
		asked, err := url.Parse(test[len(test)-1])
		require.NoError(t, err)
		assert.Equal(t, strconv.Itoa(monitoringPort(t, name)), asked.Port(), "health check of %s", name)
		assert.Contains(t, pages, asked.Path, "health check of %s", name)
		assert.Greater(t, duration(t, s.Healthcheck.Timeout), patience, "health check of %s", name)
		assert.Greater(t, duration(t, s.Healthcheck.StartPeriod), start[name], "health check of %s", name)
	}
	for _, d := range of[*appsv1.Deployment](manifest(t)) {
		c := d.Spec.Template.Spec.Containers[0]
		require.Len(t, c.Ports, 1, d.Name)
		assert.EqualValues(t, monitoringPort(t, c.Args[0]), c.Ports[0].ContainerPort, d.Name)
		assert.Contains(t, pages, c.StartupProbe.HTTPGet.Path, d.Name)
		assert.Equal(t, "/livez", c.LivenessProbe.HTTPGet.Path, "a database that is away must restart nothing")
		assert.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
		assert.Greater(t, time.Duration(c.ReadinessProbe.TimeoutSeconds)*time.Second, patience, d.Name)
		assert.Greater(t, time.Duration(c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold)*time.Second, start[c.Args[0]], d.Name)
	}
	assert.Regexp(t, fmt.Sprintf(`(?m)^EXPOSE %d %d$`, monitoringPort(t, "api"), monitoringPort(t, "worker")), string(read(t, imageFile)))
}

func TestDeployGivesEveryProcessTimeToEnd(t *testing.T) {
	least := constant(t, "tasks/serve.go", "drainTime") + constant(t, "internal/telemetry/serve.go", "shutdownTime")
	for name, s := range compose(t).ours() {
		assert.GreaterOrEqual(t, duration(t, s.StopGracePeriod), least, "%s: %s", composeFile, name)
	}
	for _, d := range of[*appsv1.Deployment](manifest(t)) {
		assert.GreaterOrEqual(t, time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second, least, d.Name)
	}
	for _, file := range unitFiles[1:] { // a migration is not stopped
		assert.GreaterOrEqual(t, duration(t, unit(t, file).one(t, "TimeoutStopSec")+"s"), least, file)
	}
}
