package deploy

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// defaultPort returns the default port of a listening address of a process.
func defaultPort(t *testing.T, name, process string) string {
	t.Helper()
	v := configuration(t)[name]
	require.Contains(t, v.readBy, process)
	return portOf(t, v.fallback)
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return port
}

// monitoringPort returns the port for health and metrics of a process. The API may have a port of its own for it.
func monitoringPort(t *testing.T, process string, set map[string]string) string {
	t.Helper()
	if process != "api" {
		return defaultPort(t, "STAFFELN_METRICS_LISTEN", process)
	}
	port := portOf(t, set["STAFFELN_API_METRICS_LISTEN"])
	require.NotEqual(t, defaultPort(t, "STAFFELN_API_LISTEN", process), port)
	return port
}

func TestDeployHealthChecksUsePortOfProcess(t *testing.T) {
	pages := []string{"/livez", "/readyz"}
	timeout := constant(t, "internal/telemetry/health.go", "checkTime") // timeout of /readyz
	waits := constant(t, "cmd/staffeln/start.go", "startTime")
	start := map[string]time.Duration{"scheduler": waits, "worker": waits} // until it listens

	for name, s := range compose(t).ours() {
		if name == "migrate" {
			continue // runs to completion
		}
		test := s.Healthcheck.Test
		require.NotEmpty(t, test, "%s: %s has no health check", composeFile, name)
		checked, err := url.Parse(test[len(test)-1])
		require.NoError(t, err)
		assert.Equal(t, monitoringPort(t, name, s.Environment), checked.Port(), "health check of %s", name)
		assert.Contains(t, pages, checked.Path, "health check of %s", name)
		assert.Greater(t, duration(t, s.Healthcheck.Timeout), timeout, "health check of %s", name)
		assert.Greater(t, duration(t, s.Healthcheck.StartPeriod), start[name], "health check of %s", name)
	}
	for _, d := range of[*appsv1.Deployment](manifest(t)) {
		c := d.Spec.Template.Spec.Containers[0]
		set, ports := map[string]string{}, map[string]string{}
		for _, v := range c.Env {
			set[v.Name] = v.Value
		}
		for _, p := range c.Ports {
			ports[p.Name] = strconv.Itoa(int(p.ContainerPort))
		}
		want := map[string]string{"monitoring": monitoringPort(t, c.Args[0], set)}
		if c.Args[0] == "api" {
			want["http"] = defaultPort(t, "STAFFELN_API_LISTEN", "api")
			_, want["check"], _ = strings.Cut(set["STAFFELN_API_CHECK_LISTEN"], ":")
		}
		assert.Equal(t, want, ports, d.Name)
		for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			assert.Equal(t, "monitoring", probe.HTTPGet.Port.StrVal, d.Name)
		}
		assert.Contains(t, pages, c.StartupProbe.HTTPGet.Path, d.Name)
		assert.Equal(t, "/livez", c.LivenessProbe.HTTPGet.Path, "a database that is away must restart nothing")
		assert.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
		assert.Greater(t, time.Duration(c.ReadinessProbe.TimeoutSeconds)*time.Second, timeout, d.Name)
		assert.Greater(t, time.Duration(c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold)*time.Second, start[c.Args[0]], d.Name)
	}
	expose := "EXPOSE " + defaultPort(t, "STAFFELN_API_LISTEN", "api") + " " + defaultPort(t, "STAFFELN_METRICS_LISTEN", "worker")
	assert.Contains(t, strings.Split(string(read(t, imageFile)), "\n"), expose)
	scheduler := defaultPort(t, "STAFFELN_METRICS_LISTEN", "scheduler") // on the same machine
	set := strings.Join(unit(t, "deploy/systemd/staffeln-api.service")["Environment"], "\n")
	apart := regexp.MustCompile(`(?m)^STAFFELN_API_METRICS_LISTEN=0\.0\.0\.0:(\d+)$`).FindStringSubmatch(set)
	require.NotNil(t, apart, set)
	assert.NotContains(t, []string{scheduler, defaultPort(t, "STAFFELN_API_LISTEN", "api")}, apart[1])
}

func TestDeployServesMetricsNotOnPortOfPages(t *testing.T) {
	pages := defaultPort(t, "STAFFELN_API_LISTEN", "api")
	published := compose(t).ours()["api"].Ports
	require.Len(t, published, 1)
	assert.Regexp(t, `:`+pages+`$`, published[0])
	for _, s := range of[*corev1.Service](manifest(t)) {
		for _, port := range s.Spec.Ports {
			assert.NotEqual(t, "monitoring", port.TargetPort.StrVal, s.Name)
		}
	}
}

func TestDeployStopTimeoutsCoverShutdownTime(t *testing.T) {
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
