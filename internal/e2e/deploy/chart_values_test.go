package deploy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDeployChartRefusesWrongValues(t *testing.T) {
	for name, c := range map[string]struct{ set, want string }{
		"a misspelt name":                 {"workers.replicas=4", "workers"},
		"a misspelt name inside":          {"worker.replica=4", "replica"},
		"a text for a number":             {"worker.replicas=four", "/worker/replicas"},
		"less than no pods":               {"worker.replicas=-1", "/worker/replicas"},
		"a password in the configuration": {"config.OS_PASSWORD=secret", "OS_PASSWORD"},
		"a URL with a password":           {"config.STAFFELN_DATABASE_URL=postgres://a:b@c/d", "STAFFELN_DATABASE_URL"},
		"a file that no pod has":          {"config.STAFFELN_SENDER_PWD_FILE=/a", "STAFFELN_SENDER_PWD_FILE"},
		"a URL that is a secret":          {"config.STAFFELN_WEBHOOK_URL=https://a/b", "STAFFELN_WEBHOOK_URL"},
		"a variable of nobody's":          {"config.PATH=/bin", "PATH"},
		"a number for a variable's text":  {"config.STAFFELN_POLL_PERIOD=60", "/config/STAFFELN_POLL_PERIOD"},
		"no cloud":                        {"config.OS_AUTH_URL=null", "OS_AUTH_URL"},
		"a digest that is none":           {"image.digest=sha256:abc", "/image/digest"},
		"a tag that no registry takes":    {"image.tag=a:b", "/image/tag"},
		"an image pulled never so":        {"image.pullPolicy=Sometimes", "/image/pullPolicy"},
		"a name with capitals":            {"fullnameOverride=Staffeln", "/fullnameOverride"},
		"no name":                         {"fullnameOverride=", "/fullnameOverride"},
		"no key":                          {"secrets.redisURL.key=", "/secrets/redisURL/key"},
		"no Secret":                       {"secrets.existingSecret=", "/secrets/existingSecret"},
		"two CAs":                         {"ca.existingSecret=a,ca.existingConfigMap=b", "/ca"},
		"a port above all ports":          {"api.port=88080", "/api/port"},
		"a client CA without TLS":         {"api.tls.clientCA=true", "/api/tls"},
		"a grace shorter than the end":    {"worker.terminationGracePeriodSeconds=10", "/worker/terminationGracePeriodSeconds"},
		"a scaler that there is not":      {"worker.autoscaling.kind=VerticalPodAutoscaler", "/worker/autoscaling/kind"},
		"a migration to somewhere":        {"migrate.args={migrate,status}", "/migrate/args"},
		"a budget that allows nothing":    {"podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable"},
		"a peer that is everybody":        {"networkPolicy.cinder[0].namespaceSelector=null", "/networkPolicy/cinder/0"},
		"a spread that knows no way":      {"topologySpread.whenUnsatisfiable=Ignore", "/topologySpread/whenUnsatisfiable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, faults, err := run(t, "helm", "template", "staffeln", chart, "--kube-version", kubeVersion, "--set", c.set)
			require.Error(t, err)
			assert.Contains(t, faults, "don't meet the specifications of the schema")
			assert.Contains(t, faults, c.want)
		})
	}
}
