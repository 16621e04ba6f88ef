package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

const hookAnnotation = "helm.sh/hook"

// Helm runs the hook before it creates or changes any other object. So it may need none of them, and if it fails, the old
// processes continue with the configuration that they have.
func TestDeployChartMigratesBeforeAllElse(t *testing.T) {
	for name, s := range valueSets {
		t.Run(name, func(t *testing.T) {
			objects := s.objects(t)
			job := named[*batchv1.Job](t, objects, s.name+"-migrate")
			for _, o := range objects {
				if o.GetName() != job.Name || name == "manifest" {
					assert.NotContains(t, o.GetAnnotations(), hookAnnotation, title(o))
				}
			}
			if name != "manifest" {
				assert.Equal(t, "pre-install,pre-upgrade", job.Annotations[hookAnnotation])
				assert.Equal(t, "before-hook-creation", job.Annotations["helm.sh/hook-delete-policy"], "a failed Job keeps its log")
				assert.Nil(t, job.Spec.TTLSecondsAfterFinished)
			}
			given, secrets := s.given(t)
			for _, n := range of[*corev1.Namespace](objects) {
				given = append(given, n)
			}
			assert.Empty(t, refusals(append(given, job), secrets), "it needs only what exists before")
		})
	}
}

// `kubectl apply -l app.kubernetes.io/component=migrate` is documented as the first step of an upgrade.
func TestDeployManifestHasMigrationUnderItsLabel(t *testing.T) {
	selector := regexp.MustCompile(`kubectl apply -f \S+ -l (\S+)`).FindStringSubmatch(string(read(t, "docs/running.md")))
	require.NotNil(t, selector, "docs/running.md does not apply the migration by itself")
	chosen, err := labels.Parse(selector[1])
	require.NoError(t, err)
	var names []string
	for _, o := range manifest(t) {
		if chosen.Matches(labels.Set(o.GetLabels())) {
			names = append(names, title(o))
		}
	}
	assert.Equal(t, []string{"Job staffeln-migrate"}, names)
}

func TestDeployChartServesCheckWhereCinderAsks(t *testing.T) {
	for name, want := range map[string]struct{ service, port, rule string }{
		"default": {"staffeln-check", "8809", "check"}, "atmosphere": {"staffeln-api", "8808", "http"}, "small": {"backups-west-check", "81", ""},
	} {
		t.Run(name, func(t *testing.T) {
			objects := valueSets[name].objects(t)
			assert.Equal(t, want.port, fmt.Sprint(named[*corev1.Service](t, objects, want.service).Spec.Ports[0].Port))
			separate := slices.ContainsFunc(named[*appsv1.Deployment](t, objects, valueSets[name].name+"-api").Spec.Template.Spec.Containers[0].Env,
				func(v corev1.EnvVar) bool { return v.Name == "STAFFELN_API_CHECK_LISTEN" })
			assert.Equal(t, want.service != "staffeln-api", separate, "the api listens elsewhere for it")
			if want.rule != "" {
				rule := named[*networkingv1.NetworkPolicy](t, objects, "staffeln-check").Spec.Ingress[0]
				assert.Equal(t, want.rule, rule.Ports[0].Port.String())
			}
		})
	}
}

// A CA of one's own is for all processes: the api verifies Keystone too, the migration Postgres.
func TestDeployChartGivesCAToAllPods(t *testing.T) {
	for _, name := range []string{"everything", "atmosphere"} {
		mounted := 0
		for _, o := range valueSets[name].objects(t) {
			p := pods(o)
			if p == nil {
				continue
			}
			mounted++
			assert.True(t, slices.ContainsFunc(p.Spec.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == "/etc/staffeln/ca" }), "%s: %s", name, o.GetName())
		}
		assert.Equal(t, 4, mounted)
		assert.Equal(t, "/etc/staffeln/ca/ca.crt", named[*corev1.ConfigMap](t, valueSets[name].objects(t), "staffeln").Data["OS_CACERT"])
	}
	assert.NotContains(t, named[*corev1.ConfigMap](t, valueSets["default"].objects(t), "staffeln").Data, "OS_CACERT")
}

func TestDeployChartRestartsPodsOfChangedConfiguration(t *testing.T) {
	s := valueSets["default"]
	sum := func(args ...string) string {
		s := s
		s.args = args
		return named[*appsv1.Deployment](t, s.objects(t), "staffeln-worker").Spec.Template.Annotations["checksum/config"]
	}
	assert.NotEmpty(t, sum())
	assert.Equal(t, sum(), sum("--set", "worker.replicas=7"))
	assert.NotEqual(t, sum(), sum("--set", "config.OS_REGION_NAME=west"))
}

// A handler may still wait for Cinder's response after the signal; none runs longer than its task's timeout, or than its lease.
func TestDeployChartGivesWorkersLongerThanAnyHandler(t *testing.T) {
	timeouts := regexp.MustCompile(`timeout: (\d+) \* time\.Second`).FindAllSubmatch(read(t, "tasks/kinds.go"), -1)
	require.NotEmpty(t, timeouts)
	d := named[*appsv1.Deployment](t, manifest(t), "staffeln-worker")
	grace := time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	for _, timeout := range timeouts {
		assert.Greater(t, grace, duration(t, string(timeout[1])+"s"))
	}
	assert.Greater(t, grace, constant(t, "tasks/kinds.go", "LeaseTime"))
}

func TestDeployChartScalesWorkersByQueueLatency(t *testing.T) {
	metrics, queues := string(read(t, "tasks/metrics.go")), string(read(t, "tasks/kinds.go"))
	require.Contains(t, metrics, `"asynq_queue_latency_seconds"`)
	require.Regexp(t, `Volumes = "volumes"`, queues)

	objects := valueSets["everything"].objects(t)
	hpa := named[*autoscalingv2.HorizontalPodAutoscaler](t, objects, "staffeln-worker")
	metric := hpa.Spec.Metrics[0].External.Metric
	assert.Equal(t, "asynq_queue_latency_seconds", metric.Name)
	assert.Equal(t, map[string]string{"queue": "volumes"}, metric.Selector.MatchLabels)
	assert.Nil(t, named[*appsv1.Deployment](t, objects, "staffeln-worker").Spec.Replicas)

	objects = valueSets["atmosphere"].objects(t)
	assert.Nil(t, named[*appsv1.Deployment](t, objects, "staffeln-worker").Spec.Replicas)
	scaled := named[*unstructured.Unstructured](t, objects, "staffeln-worker")
	target, _, err := unstructured.NestedString(scaled.Object, "spec", "scaleTargetRef", "name")
	require.NoError(t, err)
	assert.Equal(t, "staffeln-worker", target)
	triggers, _, err := unstructured.NestedSlice(scaled.Object, "spec", "triggers")
	require.NoError(t, err)
	assert.Equal(t, []any{map[string]any{"type": "prometheus", "metricType": "Value", "metadata": map[string]any{
		"serverAddress": "http://prometheus-operated.monitoring:9090", "threshold": "30",
		"query": `max(asynq_queue_latency_seconds{queue="volumes",namespace="openstack"})`,
	}}}, triggers)
}

// The Prometheus operator gets the same alerts as a Prometheus that reads the file, and Grafana's sidecar the same board.
func TestDeployChartHasTheAlertsAndTheBoard(t *testing.T) {
	objects := valueSets["everything"].objects(t)
	rules := named[*unstructured.Unstructured](t, objects, "staffeln-alerts")
	assert.Equal(t, "prometheus", rules.GetLabels()["release"])
	text, err := yaml.Marshal(rules.Object["spec"])
	require.NoError(t, err)
	assert.YAMLEq(t, string(read(t, "deploy/prometheus/staffeln.rules.yml")), string(text))
	board := named[*corev1.ConfigMap](t, objects, "staffeln-board")
	assert.Equal(t, "1", board.Labels["grafana_dashboard"])
	assert.JSONEq(t, string(read(t, "deploy/grafana/staffeln.json")), board.Data["staffeln.json"])
	for _, o := range valueSets["default"].objects(t) {
		assert.NotContains(t, []string{"staffeln-alerts", "staffeln-board"}, o.GetName())
	}
}

// Each ServiceMonitor selects one Service with its port, of the pods of one Deployment.
func TestDeployChartMonitorsAllProcesses(t *testing.T) {
	objects := valueSets["everything"].objects(t)
	for _, process := range []string{"scheduler", "worker", "api"} {
		monitor := named[*unstructured.Unstructured](t, objects, "staffeln-"+process)
		assert.Equal(t, "prometheus", monitor.GetLabels()["release"])
		wanted, _, err := unstructured.NestedStringMap(monitor.Object, "spec", "selector", "matchLabels")
		require.NoError(t, err)
		endpoints, _, err := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
		require.NoError(t, err)
		endpoint, is := endpoints[0].(map[string]any)
		require.True(t, is)
		assert.Equal(t, "/metrics", endpoint["path"])
		assert.Equal(t, process == "api", endpoint["scheme"] == "https", "the api has TLS in these values")
		var services []string
		for _, service := range of[*corev1.Service](objects) {
			if labels.SelectorFromSet(wanted).Matches(labels.Set(service.Labels)) && service.Spec.Ports[0].Name == endpoint["port"] {
				services = append(services, service.Name)
				assert.Equal(t, corev1.ClusterIPNone, service.Spec.ClusterIP)
			}
		}
		assert.Equal(t, []string{"staffeln-" + process + "-metrics"}, services)
	}
	for _, o := range valueSets["default"].objects(t) {
		assert.False(t, strings.HasSuffix(o.GetName(), "-metrics"), title(o))
	}
}
