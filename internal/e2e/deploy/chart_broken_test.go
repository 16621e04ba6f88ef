package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Each of these is the chart with all its options, with one change that breaks what the plain manifest does not have.
func TestDeployBrokenOptionsOfChartAreRejected(t *testing.T) {
	s := valueSets["everything"]
	text := s.render(t)
	given, secrets := s.given(t)
	for name, c := range map[string]struct{ from, to, want string }{
		"a scaler of nobody's pods":     {"kind: Deployment, name: staffeln-worker }", "kind: Deployment, name: staffeln-workers }", "scaleTargetRef staffeln-workers: there is none"},
		"a scaler beside a number":      {deploymentSelector("worker"), "  replicas: 3\n" + deploymentSelector("worker"), "staffeln-worker has replicas of its own"},
		"a range that is none":          {"maxReplicas: 10", "maxReplicas: 1", "from 2 to 1 pods"},
		"a metric of another kind":      {"type: External", "type: Pods", `metric "Pods"`},
		"a share of each worker":        {"target: { type: Value, value:", "target: { type: AverageValue, averageValue:", `target "AverageValue"`},
		"a target of nothing":           {`value: "30" }`, `value: "0" }`, "no target value"},
		"a peer of all addresses":       {"cidr: 192.0.2.0/24", "cidr: 0.0.0.0/0", "a peer that is everybody"},
		"a peer of all pods":            {"        - podSelector:\n            matchLabels:\n              application: cinder\n", "        - podSelector: {}\n", "a peer that is everybody"},
		"a CA that nobody makes":        {"configMap: { name: cloud-ca,", "configMap: { name: cloud-cas,", "ConfigMap cloud-cas: there is none"},
		"a CA under another key":        {"key: bundle.pem", "key: ca.crt", `ConfigMap cloud-ca has no key "ca.crt"`},
		"a secret under another key":    {"key: uri", "key: url", `Secret staffeln-postgres has no key "url"`},
		"a source of nothing":           {"- secret: { name: staffeln-mail, items: [{ key: password, path: sender_password }] }", "- {}", "want one of secret and configMap"},
		"a Service at a port not there": {"targetPort: monitoring", "targetPort: metrics", "targetPort metrics"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, refusalOf(t, text, c.from, c.to, given, secrets), c.want)
		})
	}
}
