package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each of these is the real manifest with one change that breaks it.
func TestDeployBrokenManifestIsRejected(t *testing.T) {
	t.Parallel()
	text, secrets := string(read(t, manifestFile)), documentedSecrets(t)
	for name, c := range map[string]struct{ from, to, want string }{
		// Violations of the types.
		"a misspelt field":             {"automountServiceAccountToken:", "automountServiceAcountToken:", `unknown field "spec.template.spec.automountServiceAcountToken"`},
		"a field in another case":      {"readOnlyRootFilesystem:", "readOnlyRootFileSystem:", `unknown field "spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem"`},
		"a field that is there twice":  {"  replicas: 3\n", "  replicas: 3\n  replicas: 4\n", `key "replicas" already set in map`},
		"a text for a number":          {"replicas: 3", "replicas: three", "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas"},
		"a number for a text":          {"OS_USERNAME: staffeln", "OS_USERNAME: 7", "cannot unmarshal number into Go struct field ConfigMap.data of type string"},
		"a text for a truth":           {"runAsNonRoot: true", `runAsNonRoot: "true"`, "cannot unmarshal string into Go struct field PodSecurityContext"},
		"one for many":                 {"args: [worker]", "args: worker", "cannot unmarshal string into Go struct field Container"},
		"an amount that is none":       {"memory: 512Mi", "memory: 512 MB", "quantities must match the regular expression"},
		"a version that is gone":       {"apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n", `no kind "PodDisruptionBudget" is registered for version "policy/v1beta1"`},
		"a kind that there is not":     {"kind: Deployment", "kind: Deployement", `no kind "Deployement" is registered`},
		"a document without a kind":    {"kind: Service\n", "", "Object 'Kind' is missing"},
		"an indent that leads nowhere": {"      volumes:\n", "     volumes:\n", "did not find expected key"},

		// Names and labels.
		"a name with capitals":            {"  name: staffeln-worker\n", "  name: Staffeln-Worker\n", `metadata.name: Invalid value: "Staffeln-Worker"`},
		"a Service that no DNS takes":     {"kind: Service\nmetadata:\n  name: staffeln-api\n", "kind: Service\nmetadata:\n  name: 1-staffeln-api\n", "metadata.name: Invalid value"},
		"a label with a space":            {"  labels: { app.kubernetes.io/name: staffeln,", "  labels: { app.kubernetes.io/name: staffeln here,", "metadata.labels: Invalid value"},
		"another namespace":               {"  namespace: staffeln\n", "  namespace: stafeln\n", `namespace "stafeln": no such Namespace`},
		"no namespace":                    {"  namespace: staffeln\n", "", "metadata.namespace: Required value"},
		"an object that is there twice":   {"  name: staffeln-scheduler\n  namespace", "  name: staffeln-worker\n  namespace", "Deployment staffeln-worker: is there twice"},
		"a container with a bad name":     {"- name: worker\n", "- name: the_worker\n", `container name "the_worker"`},
		"a port with a name too long":     {"name: monitoring, containerPort", "name: monitoring-and-more, containerPort", `port name "monitoring-and-more"`},
		"a variable that no shell takes":  {"  OS_AUTH_URL:", "  1OS AUTH URL:", `"1OS AUTH URL"`},
		"a volume that is there twice":    {"      volumes:\n", "      volumes:\n        - { name: secrets, emptyDir: {} }\n", "volume secrets is there twice"},
		"a variable that is there twice":  {"          args: [worker]\n", "          args: [worker]\n          env: [{ name: A, value: b }, { name: A, value: c }]\n", "variable A is there twice"},
		"a container without an image":    {"          image: staffeln:dev\n", "", "has no image"},
		"a strategy of another cluster's": {"type: RollingUpdate", "type: RollingUpdates", `strategy "RollingUpdates"`},

		// References by selectors.
		"a selector that misses its pods":      {deploymentSelector("worker"), deploymentSelector("workers"), "does not match its pods' labels"},
		"a selector that selects all":          {"  selector:\n    matchLabels: { app.kubernetes.io/name: staffeln, app.kubernetes.io/component: worker }\n  strategy", "  selector: {}\n  strategy", "selector <none> does not match"},
		"a spread over others' pods":           {"labelSelector: { matchLabels: { app.kubernetes.io/name: staffeln, app.kubernetes.io/component: api } }", "labelSelector: { matchLabels: { app.kubernetes.io/component: ape } }", "labelSelector app.kubernetes.io/component=ape does not match"},
		"a budget that misses all":             {budgetSelector("worker"), budgetSelector("workers"), "PodDisruptionBudget staffeln-worker: selector \"app.kubernetes.io/component=workers,app.kubernetes.io/name=staffeln\" chooses the pods of 0 Deployments"},
		"a budget for everybody's pods":        {budgetSelector("api"), "unhealthyPodEvictionPolicy: AlwaysAllow\n  selector:\n    matchLabels: { app.kubernetes.io/name: staffeln }", "chooses the pods of 3 Deployments"},
		"a budget of both kinds":               {"  maxUnavailable: 1\n  unhealthy", "  maxUnavailable: 1\n  minAvailable: 1\n  unhealthy", "want either minAvailable or maxUnavailable"},
		"a policy that there is not":           {"unhealthyPodEvictionPolicy: AlwaysAllow", "unhealthyPodEvictionPolicy: Always", `unhealthyPodEvictionPolicy "Always"`},
		"a Service without a Pod":              {"  selector: { app.kubernetes.io/name: staffeln, app.kubernetes.io/component: api }", "  selector: { app.kubernetes.io/component: web }", "Service staffeln-api: selector"},
		"a Service at a port that is not open": {"targetPort: http", "targetPort: https", "targetPort https: the pods of staffeln-api have no such port"},
		"a Service at another number":          {"port: 8808, targetPort: http", "port: 8080", "targetPort 8080: the pods of staffeln-api have no such port"},
		"a roll-out that can't begin":          {"maxSurge: 1, maxUnavailable: 0", "maxSurge: 0, maxUnavailable: 0", "it could never begin"},
		"a Job that is run for ever":           {"restartPolicy: Never", "restartPolicy: Always", `restartPolicy "Always"`},

		"a rule for a port that is not open": {"ports: [{ port: check }]", "ports: [{ port: checks }]", "NetworkPolicy staffeln-check: port checks: the pods of staffeln-api have no such port"},
		"a rule that lets everybody in":      {"from:\n" + cinderPeer, "from: []\n", "a rule without from lets everybody in"},
		"a rule for everybody's namespace":   {cinderPeer, "        - namespaceSelector: {}\n", "a peer that is everybody"},
		"a rule that opens all":              {"    - ports: [{ port: check }]\n      from", "    - from", "a rule without ports opens all"},
		"a rule for nobody's pods":           {"podSelector: { matchLabels: { app.kubernetes.io/name: staffeln, app.kubernetes.io/component: api } }", "podSelector: { matchLabels: { app.kubernetes.io/component: ape } }", "chooses nobody's pods"},
		"a rule about what there is not":     {"policyTypes: [Ingress]", "policyTypes: [Ingres]", `policyTypes "Ingres"`},

		// Volumes, environment and probes of pods.
		"a probe at a port by another name":     {"readinessProbe:\n            httpGet: { path: /readyz, port: monitoring }", "readinessProbe:\n            httpGet: { path: /readyz, port: metrics }", "readinessProbe: port metrics: the container has no such port"},
		"a probe at another number":             {"livenessProbe:\n            httpGet: { path: /livez, port: monitoring }", "livenessProbe:\n            httpGet: { path: /livez, port: 8810 }", "livenessProbe: port 8810: the container has no such port"},
		"a probe that asks nothing":             {"            httpGet: { path: /livez, port: monitoring }\n", "", "want httpGet and nothing else"},
		"a ConfigMap that is not there":         {"configMapRef: { name: staffeln }", "configMapRef: { name: stafeln }", "ConfigMap stafeln: there is none"},
		"a Secret that nobody makes":            {"secret: { name: staffeln,", "secret: { name: stafeln,", "Secret stafeln: there is none"},
		"a key that nobody makes":               {"key: database_url,", "key: database_uri,", `Secret staffeln has no key "database_uri"`},
		"a variable from a key that is missing": {"          args: [worker]\n", "          args: [worker]\n          env: [{ name: A, valueFrom: { secretKeyRef: { name: staffeln, key: a } } }]\n", `Secret staffeln has no key "a"`},
		"a mount of no volume":                  {"{ name: secrets, mountPath", "{ name: secret, mountPath", "volumeMount secret: the pod has no such volume"},
		"a mount at a path of nowhere":          {"mountPath: /run", "mountPath: run", `mountPath "run/secrets/staffeln"`},
		"a file not in its volume":              {"path: redis_url", "path: ../redis_url", `path "../redis_url" is not in it`},
		"a mode that is none":                   {"defaultMode: 0440", "defaultMode: 4440", "defaultMode is no mode"},
		"less allowed than asked for":           {"memory: 512Mi", "memory: 64Mi", "memory: 128Mi is asked for, 64Mi is the limit"},

		// Other checks of a cluster.
		"a key that no ConfigMap takes":     {"  OS_AUTH_URL:", "  OS/AUTH/URL:", `key "OS/AUTH/URL"`},
		"a Job that brings its selector":    {"  backoffLimit: 3\n", "  backoffLimit: 3\n  selector: { matchLabels: { a: b } }\n", "a Job's is made by the cluster"},
		"less than no pods":                 {"replicas: 3", "replicas: -3", "replicas -3"},
		"a Deployment whose pods end":       {"      terminationGracePeriodSeconds: 30\n", "      restartPolicy: Never\n", `restartPolicy "Never"`},
		"a strategy with another's numbers": {"type: RollingUpdate", "type: Recreate", "strategy Recreate with rollingUpdate"},
		"a share that is none":              {"maxUnavailable: 0", "maxUnavailable: some", "rollingUpdate some:"},
		"a Service without ports":           {"  ports:\n    - { name: http, port: 8808, targetPort: http }\n", "", "no ports"},
		"a Service with a port twice":       {"    - { name: http, port: 8808, targetPort: http }\n", "    - { name: http, port: 8808 }\n    - { name: http, port: 8809 }\n", `port name "http" is there twice`},
		"a Service at no port":              {"port: 8808, targetPort: http", "port: 88080, targetPort: http", "port 88080"},
		"a Service of another type":         {"  ports:\n    - { name: http, port", "  type: Public\n  ports:\n    - { name: http, port", `type "Public"`},
		"a grace below zero":                {"terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: -1", "terminationGracePeriodSeconds below zero"},
		"a profile that there is not":       {"type: RuntimeDefault", "type: Default", `seccompProfile "Default"`},
		"a spread that allows nothing":      {"maxSkew: 1", "maxSkew: 0", "maxSkew 0"},
		"a spread over nothing":             {"topologyKey: kubernetes.io/hostname", "topologyKey: host name", `topologyKey "host name"`},
		"a spread that knows no way":        {"whenUnsatisfiable: ScheduleAnyway", "whenUnsatisfiable: Ignore", `whenUnsatisfiable "Ignore"`},
		"a volume with a bad name":          {"        - name: secrets\n          projected:\n", "        - name: the secrets\n          projected:\n", `volume name "the secrets"`},
		"a volume of nothing":               {"      volumes:\n", "      volumes:\n        - { name: more }\n", "volume more: want one of"},
		"a file that is there twice":        {"path: redis_url", "path: database_url", `path "database_url" is there twice`},
		"a container that is there twice":   {"        - name: worker\n", "        - { name: worker, image: a }\n        - name: worker\n", "container worker is there twice"},
		"an image pulled never so":          {"imagePullPolicy: IfNotPresent", "imagePullPolicy: Sometimes", `imagePullPolicy "Sometimes"`},
		"a port above all ports":            {"containerPort: 9808", "containerPort: 98080", "containerPort 98080"},
		"a port that is there twice":        {"            - { name: http, containerPort: 8808 }\n", "            - { name: http, containerPort: 8808 }\n            - { name: http, containerPort: 8809 }\n", "port http 8809 is there twice"},
		"a mount that is there twice":       {"          volumeMounts:\n", "          volumeMounts:\n            - { name: secrets, mountPath: /run/secrets/staffeln }\n", "want an absolute one, once"},
		"an environment from nowhere":       {"            - configMapRef: { name: staffeln }\n", "            - { prefix: A_ }\n", "envFrom: want one of"},
		"an environment from no Secret":     {"            - configMapRef: { name: staffeln }\n", "            - secretRef: { name: other }\n", "Secret other: there is none"},
		"a prefix that spoils names":        {"- configMapRef: { name: staffeln }", "- { prefix: 1=, configMapRef: { name: staffeln } }", `variable "1=OS_AUTH_URL" of ConfigMap staffeln`},
		"a variable with a bad name":        {"          args: [worker]\n", "          args: [worker]\n          env: [{ name: a b, value: c }]\n", `variable "a b"`},
		"a variable of two values":          {"          args: [worker]\n", "          args: [worker]\n          env: [{ name: A, value: c, valueFrom: { configMapKeyRef: { name: staffeln, key: OS_USERNAME } } }]\n", "variable A: both value and valueFrom"},
		"a variable from nowhere":           {"          args: [worker]\n", "          args: [worker]\n          env: [{ name: A, valueFrom: {} }]\n", "variable A: want one of"},
		"a variable from no key":            {"          args: [worker]\n", "          args: [worker]\n          env: [{ name: A, valueFrom: { configMapKeyRef: { name: staffeln, key: B } } }]\n", `ConfigMap staffeln has no key "B"`},
		"a probe with a number below zero":  {"failureThreshold: 2", "failureThreshold: -2", "readinessProbe: a number below zero"},
		"a start that succeeds twice":       {"failureThreshold: 30", "failureThreshold: 30\n            successThreshold: 2", "startupProbe: one success is enough there"},
		"a probe by another protocol":       {"path: /livez, port: monitoring", "path: /livez, port: monitoring, scheme: https", `scheme "https"`},
		"a probe of half a path":            {"path: /livez", "path: livez", `path "livez"`},
		"a pod's label with a space":        {"      labels: { app.kubernetes.io/name: staffeln,", "      labels: { more: a b, app.kubernetes.io/name: staffeln,", "template.labels: Invalid value"},
		"a Service's port with capitals":    {"- { name: http, port:", "- { name: HTTP, port:", `port name "HTTP"`},
		"a budget by no rule":               {budgetSelector("api"), budgetSelector("api") + "\n    matchExpressions: [{ key: a, operator: Is }]", `selector: "Is" is not a valid label selector operator`},
		"a pod that only begins":            {"      containers:\n        - name: worker\n", "      containers: []\n      initContainers:\n        - name: worker\n", "no containers"},
		"a volume of no Secret":             {"      volumes:\n", "      volumes:\n        - { name: more, secret: { secretName: other } }\n", "Secret other: there is none"},
		"a volume of no ConfigMap":          {"      volumes:\n", "      volumes:\n        - { name: more, configMap: { name: other } }\n", "ConfigMap other: there is none"},
		"a volume of no key":                {"      volumes:\n", "      volumes:\n        - { name: more, configMap: { name: staffeln, items: [{ key: A, path: a }] } }\n", `ConfigMap staffeln has no key "A"`},
		"a kind without a check":            {"apiVersion: v1\nkind: Service\n", "apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: staffeln }\n---\napiVersion: v1\nkind: Service\n", "no check for a *v1.Pod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Contains(t, refusalOf(t, text, c.from, c.to, nil, secrets), c.want)
		})
	}
}

// refusalOf returns why a changed text is rejected; given are the objects that exist beside it.
func refusalOf(t *testing.T, text, from, to string, given []object, secrets map[string][]string) string {
	t.Helper()
	broken := strings.ReplaceAll(text, from, to)
	require.NotEqual(t, text, broken, "nothing is broken: the text has no %q", from)
	objects, err := decode(broken)
	if err != nil {
		return err.Error()
	}
	return strings.Join(refusals(slices.Concat(given, objects), secrets), "\n")
}

const cinderPeer = "        - namespaceSelector:\n            matchLabels:\n              kubernetes.io/metadata.name: openstack\n"

func deploymentSelector(component string) string {
	return "  selector:\n    matchLabels: { app.kubernetes.io/name: staffeln, app.kubernetes.io/component: " + component + " }\n  strategy"
}

func budgetSelector(component string) string {
	return "unhealthyPodEvictionPolicy: AlwaysAllow\n  selector:\n    matchLabels: { app.kubernetes.io/name: staffeln, app.kubernetes.io/component: " + component + " }"
}
