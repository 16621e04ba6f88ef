package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const chart = "deploy/helm/staffeln"

// valueSet is one set of values for the chart, with what its user has made before.
type valueSet struct {
	args       []string
	namespace  string
	secrets    map[string][]string // the documented one if there is none here
	configMaps map[string]map[string]string
	name       string // fullnameOverride
}

var valueSets = map[string]valueSet{
	"default":  {namespace: "staffeln", name: "staffeln"},
	"manifest": {namespace: "staffeln", name: "staffeln", args: []string{"--set", "withoutHelm=true"}},
	"everything": {namespace: "staffeln", name: "staffeln", args: values("everything"), secrets: map[string][]string{
		"staffeln": {"api_database_url", "redis_url", "os_password"}, "staffeln-postgres": {"uri"}, "staffeln-mail": {"password"}, "staffeln-alerting": {"heartbeat", "url", "key"},
		"staffeln-tls": {"tls.crt", "tls.key", "ca.crt"},
	}, configMaps: map[string]map[string]string{"cloud-ca": {"bundle.pem": "", "region": "west"}}},
	"atmosphere": {namespace: "openstack", name: "staffeln", args: values("atmosphere"), secrets: map[string][]string{
		"staffeln": {"database_url", "api_database_url", "redis_url", "os_password"}, "cloud-ca": {"ca.crt"},
	}},
	"small": {namespace: "backups", name: "backups-west", args: values("small"), secrets: map[string][]string{
		"west": {"database", "api_database_url", "redis_url", "os_password"},
	}},
}

func values(name string) []string {
	return []string{"--values", "internal/e2e/deploy/testdata/chart/" + name + ".yaml"}
}

// tool returns the path of a tool that the Makefile installs, at the version that it names.
func tool(t *testing.T, name string) string {
	t.Helper()
	variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_VERSION"
	version := regexp.MustCompile(`(?m)^` + variable + ` *:= (\S+)$`).FindSubmatch(read(t, "Makefile"))
	require.NotNil(t, version, "the Makefile has no %s", variable)
	path, err := filepath.Abs(filepath.Join(repository, ".bin", name+"-"+string(version[1])))
	require.NoError(t, err)
	require.FileExists(t, path, "run `make tools` to install it")
	return path
}

// kubeVersion is the cluster's: a helm that `go install` builds assumes an old one.
const kubeVersion = "1.31.0"

// run runs a tool in the repository's folder, and returns what it prints.
func run(t *testing.T, name string, args ...string) (out, faults string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool(t, name), args...)
	command.Dir = repository
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err = command.Run()
	return stdout.String(), stderr.String(), err
}

// rendered has what helm printed, by its arguments: several tests read the same.
var rendered sync.Map

func (s valueSet) render(t *testing.T) string {
	t.Helper()
	args := append([]string{"template", "staffeln", chart, "--kube-version", kubeVersion, "--namespace", s.namespace}, s.args...)
	key := strings.Join(args, " ")
	if text, is := rendered.Load(key); is {
		return fmt.Sprint(text)
	}
	out, faults, err := run(t, "helm", args...)
	require.NoError(t, err, faults)
	rendered.Store(key, out)
	return out
}

// objects returns the rendered objects.
func (s valueSet) objects(t *testing.T) []object {
	t.Helper()
	text := s.render(t)
	objects, err := decode(text)
	require.NoError(t, err)
	require.Len(t, objects, strings.Count(text, "\napiVersion: "), "documents that were read")
	return objects
}

// given returns what exists in the cluster beside the rendered objects.
func (s valueSet) given(t *testing.T) (objects []object, secrets map[string][]string) {
	t.Helper()
	if !slices.Contains(s.args, "withoutHelm=true") {
		objects = append(objects, &corev1.Namespace{TypeMeta: metav1.TypeMeta{Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	}
	for name, data := range s.configMaps {
		objects = append(objects, &corev1.ConfigMap{TypeMeta: metav1.TypeMeta{Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace}, Data: data})
	}
	if s.secrets == nil {
		return objects, documentedSecrets(t)
	}
	return objects, s.secrets
}

func TestDeployChartIsLinted(t *testing.T) {
	for name, s := range valueSets {
		t.Run(name, func(t *testing.T) {
			out, faults, err := run(t, "helm", append([]string{"lint", "--strict", chart, "--kube-version", kubeVersion, "--namespace", s.namespace}, s.args...)...)
			require.NoError(t, err, out+faults)
		})
	}
}

// The same checks as of the manifest, for each set of values.
func TestDeployChartRendersValidObjects(t *testing.T) {
	variables := configuration(t)
	for name, s := range valueSets {
		t.Run(name, func(t *testing.T) {
			given, secrets := s.given(t)
			objects := s.objects(t)
			for _, refusal := range refusals(append(given, objects...), secrets) {
				assert.Fail(t, "refused", refusal)
			}
			for _, variable := range ours.FindAllString(s.render(t), -1) {
				assert.True(t, known(variables, variable), "docs/configuration.md has no %s", variable)
			}
			assert.Empty(t, of[*corev1.Secret](objects), "secrets are referred to, not written")
			for _, o := range objects {
				if p := pods(o); p != nil {
					restricted(t, o.GetName(), p.Spec)
				}
			}
		})
	}
}

// kubectl-validate has the schemas of a cluster; those of the operators' kinds are in testdata/crds, with the fields that we use.
func TestDeployChartIsAcceptedByKubectlValidate(t *testing.T) {
	for name, s := range valueSets {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rendered.yaml")
			require.NoError(t, os.WriteFile(file, []byte(s.render(t)), 0o600))
			out, faults, err := run(t, "kubectl-validate", "--local-crds", "internal/e2e/deploy/testdata/crds", file)
			require.NoError(t, err, out+faults)
		})
	}
}

func TestDeployManifestIsDefaultOfChart(t *testing.T) {
	assert.Equal(t, valueSets["manifest"].render(t), string(read(t, manifestFile)), "run `make manifest`")
}
