package house

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	composeFile  = "docker-compose.yml"
	manifestFile = "deploy/kubernetes/staffeln.yaml"
	imageFile    = "deploy/Dockerfile"
	exampleFile  = ".env.example"
)

var unitFiles = []string{
	"deploy/systemd/staffeln-migrate.service", "deploy/systemd/staffeln-scheduler.service",
	"deploy/systemd/staffeln-worker@.service", "deploy/systemd/staffeln-api.service",
}

var ours = regexp.MustCompile(`\bSTAFFELN_[A-Z0-9_]*[A-Z0-9]\b`)

// documented is a variable as docs/configuration.md tells it.
type documented struct {
	fallback string // "required", "none", or the default
	secret   bool
	readBy   []string // names of processes
}

func configuration(t *testing.T) map[string]documented {
	t.Helper()
	found := map[string]documented{}
	for line := range strings.Lines(string(read(t, "docs/configuration.md"))) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if name := strings.Trim(cells[0], " `"); len(cells) >= 5 && ours.MatchString(name) {
			found[name] = documented{strings.Trim(cells[1], "`"), strings.Contains(cells[2], "(a secret)"), strings.Split(strings.TrimSpace(cells[len(cells)-1]), ", ")}
		}
	}
	require.Contains(t, found, "STAFFELN_DATABASE_URL")
	return found
}

// known tells whether there is such a variable; only a secret has a second name with _FILE.
func known(variables map[string]documented, name string) bool {
	if _, ok := variables[name]; ok {
		return true
	}
	secret, isFile := strings.CutSuffix(name, "_FILE")
	return isFile && variables[secret].secret
}

func TestDeployNamesOnlyVariablesThatThereAre(t *testing.T) {
	variables := configuration(t)
	for _, file := range append([]string{composeFile, manifestFile, imageFile, exampleFile, "docs/running.md"}, unitFiles...) {
		for _, name := range ours.FindAllString(string(read(t, file)), -1) {
			assert.True(t, known(variables, name), "%s names %s, which docs/configuration.md does not have", file, name)
		}
	}
}

func TestDeployEnvExampleHasEveryVariableWithItsDefault(t *testing.T) {
	written := map[string]string{}
	lines := strings.Split(string(read(t, exampleFile)), "\n")
	for number, line := range lines {
		name, value, set := strings.Cut(strings.TrimPrefix(line, "#"), "=")
		if !set || !ours.MatchString(name) || strings.Contains(name, " ") {
			continue
		}
		assert.NotContains(t, written, name, "%s: twice", exampleFile)
		assert.True(t, strings.HasPrefix(line, "#"), "%s sets %s: a copy of it must begin with the defaults", exampleFile, name)
		assert.True(t, strings.HasPrefix(lines[number-1], "# "), "%s: no sentence above %s", exampleFile, name)
		written[name] = value
	}
	variables := configuration(t)
	for name, v := range variables {
		value, ok := written[name]
		if assert.True(t, ok, "%s lacks %s: add it with a sentence and its default", exampleFile, name) && v.fallback != "required" && v.fallback != "none" {
			assert.Equal(t, v.fallback, value, "default of %s in %s", name, exampleFile)
		}
	}
	for name := range written {
		assert.Contains(t, variables, name, "%s: no such variable", exampleFile)
	}
}

// started is one process as one of the files starts it.
type started struct {
	file, name string
	args       []string
	variables  map[string]string
}

func (s started) String() string { return s.file + ": " + s.name }

func allStarted(t *testing.T) (all []started) {
	t.Helper()
	for name, s := range compose(t).ours() {
		all = append(all, started{composeFile, name, s.Command, s.Environment})
	}
	objects := manifest(t)
	for _, o := range objects {
		for _, c := range o.Spec.Template.Spec.Containers {
			s := started{manifestFile, o.Metadata.Name, c.Args, map[string]string{}}
			for _, from := range c.EnvFrom {
				s.variables = find(t, objects, "ConfigMap", from.ConfigMapRef.Name).Data
			}
			all = append(all, s)
		}
	}
	for _, file := range unitFiles {
		u := unit(t, file)
		s := started{file, "ExecStart", strings.Fields(u.one(t, "ExecStart"))[1:], map[string]string{}}
		for _, setting := range u["Environment"] {
			name, value, _ := strings.Cut(setting, "=")
			s.variables[name] = value
		}
		all = append(all, s)
	}
	return all
}

func TestDeployStartsSubcommandsWithWhatTheyRequire(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "staffeln")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/staffeln")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	variables := configuration(t)
	for _, s := range allStarted(t) {
		help, err := exec.CommandContext(t.Context(), binary, append(slices.Clone(s.args), "--help")...).CombinedOutput()
		require.NoError(t, err, "%s: %s", s, help)
		assert.Contains(t, string(help), "\n  staffeln "+strings.Join(s.args, " ")+" [flags]\n", "%s: no such command", s)

		for name, v := range variables {
			if v.fallback == "required" && slices.Contains(v.readBy, s.args[0]) {
				assert.Contains(t, s.variables, name+"_FILE", "%s: a secret, and required", s)
			}
		}
		if slices.Contains(variables["STAFFELN_OPENSTACK_RETRY_TIMEOUT"].readBy, s.args[0]) {
			assert.Contains(t, s.variables, "OS_PASSWORD_FILE", "%s: it speaks to the cloud", s)
		}
	}
}

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
	for _, o := range manifest(t) {
		if o.Kind != "Deployment" {
			continue
		}
		c := o.Spec.Template.Spec.Containers[0]
		want := []port{{Name: c.ReadinessProbe.HTTPGet.Port, ContainerPort: monitoringPort(t, c.Args[0])}}
		assert.Equal(t, want, c.Ports, o.Metadata.Name)
		for kind, p := range map[string]probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
			assert.Equal(t, c.Ports[0].Name, p.HTTPGet.Port, "%s probe of %s", kind, o.Metadata.Name)
			assert.Contains(t, pages, p.HTTPGet.Path, "%s probe of %s", kind, o.Metadata.Name)
		}
		assert.Equal(t, "/livez", c.LivenessProbe.HTTPGet.Path, "a database that is away must restart nothing")
		assert.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
		assert.Greater(t, time.Duration(c.ReadinessProbe.TimeoutSeconds)*time.Second, patience, o.Metadata.Name)
		assert.Greater(t, time.Duration(c.StartupProbe.PeriodSeconds*c.StartupProbe.FailureThreshold)*time.Second, start[c.Args[0]], o.Metadata.Name)
	}
	assert.Regexp(t, fmt.Sprintf(`(?m)^EXPOSE %d %d$`, monitoringPort(t, "api"), monitoringPort(t, "worker")), string(read(t, imageFile)))
}

func TestDeployGivesEveryProcessTimeToEnd(t *testing.T) {
	least := constant(t, "tasks/serve.go", "drainTime") + constant(t, "internal/telemetry/serve.go", "shutdownTime")
	for name, s := range compose(t).ours() {
		assert.GreaterOrEqual(t, duration(t, s.StopGracePeriod), least, "%s: %s", composeFile, name)
	}
	for _, o := range manifest(t) {
		if o.Kind == "Deployment" {
			assert.GreaterOrEqual(t, time.Duration(o.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second, least, o.Metadata.Name)
		}
	}
	for _, file := range unitFiles[1:] { // a migration is not stopped
		assert.GreaterOrEqual(t, duration(t, unit(t, file).one(t, "TimeoutStopSec")+"s"), least, file)
	}
}

func TestDeployRunsNothingAsRoot(t *testing.T) {
	image := string(read(t, imageFile))
	user := regexp.MustCompile(`(?m)^USER ([1-9]\d*):[1-9]\d*$`).FindStringSubmatch(image)
	require.NotNil(t, user, "%s: want a numeric user", imageFile)
	for _, text := range []string{"CGO_ENABLED=0", "-trimpath", "main.version=$VERSION", `ENTRYPOINT ["staffeln"]`} {
		assert.Contains(t, image, text)
	}
	file := compose(t)
	for name, s := range file.Services {
		_, our := file.ours()[name]
		assert.True(t, our || s.User != "" && s.User != "root", "%s: %s: as whom?", composeFile, name)
		assert.True(t, s.ReadOnly, "%s: %s: read_only", composeFile, name)
		assert.Equal(t, []string{"ALL"}, s.CapDrop, "%s: %s", composeFile, name)
		assert.NotEmpty(t, s.Restart, "%s: %s: restart", composeFile, name)
		for _, secret := range s.Secrets {
			assert.Contains(t, file.Secrets, secret, "%s: %s", composeFile, name)
		}
	}
	for _, o := range manifest(t) {
		for _, c := range o.Spec.Template.Spec.Containers {
			pod := o.Spec.Template.Spec
			assert.True(t, pod.SecurityContext.RunAsNonRoot, o.Metadata.Name)
			assert.Equal(t, user[1], strconv.Itoa(pod.SecurityContext.RunAsUser), "%s: the image's user", o.Metadata.Name)
			assert.Equal(t, "RuntimeDefault", pod.SecurityContext.SeccompProfile.Type, o.Metadata.Name)
			assert.True(t, c.SecurityContext.ReadOnlyRootFilesystem, o.Metadata.Name)
			assert.Equal(t, new(false), c.SecurityContext.AllowPrivilegeEscalation, o.Metadata.Name)
			assert.Equal(t, []string{"ALL"}, c.SecurityContext.Capabilities.Drop, o.Metadata.Name)
			assert.Equal(t, new(false), pod.EnableServiceLinks, o.Metadata.Name)
			assert.NotEmpty(t, c.Resources.Limits["memory"], o.Metadata.Name)
		}
	}
	for _, file := range unitFiles {
		u := unit(t, file)
		for name, want := range map[string]string{"DynamicUser": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": "", "EnvironmentFile": "/etc/staffeln/staffeln.env"} {
			assert.Equal(t, want, u.one(t, name), "%s: %s", file, name)
		}
	}
}

func TestDeployManifestHangsTogether(t *testing.T) {
	objects := manifest(t)
	for _, o := range objects {
		if o.Kind != "Namespace" {
			assert.Equal(t, "staffeln", o.Metadata.Namespace, "%s %s", o.Kind, o.Metadata.Name)
		}
		assert.NotEqual(t, "Secret", o.Kind, "secrets are referred to, not written")
		if o.Kind != "Deployment" {
			continue
		}
		labels := o.Spec.Template.Metadata.Labels
		assert.Equal(t, labels, o.Spec.selected(t), o.Metadata.Name)
		budget := find(t, objects, "PodDisruptionBudget", o.Metadata.Name)
		assert.Equal(t, labels, budget.Spec.selected(t), budget.Metadata.Name)
		for _, spread := range o.Spec.Template.Spec.TopologySpreadConstraints {
			assert.Equal(t, labels, spread.LabelSelector.MatchLabels, o.Metadata.Name)
		}
		for name, path := range find(t, objects, "ConfigMap", "staffeln").Data {
			secret, isFile := strings.CutSuffix(name, "_FILE")
			v, read := configuration(t)[secret]
			if isFile && read && slices.Contains(v.readBy, o.Spec.Template.Spec.Containers[0].Args[0]) {
				assert.Contains(t, o.Spec.Template.Spec.secretFiles(), path, "%s: %s", o.Metadata.Name, name)
			}
		}
	}
	service, api := find(t, objects, "Service", "staffeln-api"), find(t, objects, "Deployment", "staffeln-api")
	assert.Equal(t, api.Spec.Template.Metadata.Labels, service.Spec.selected(t))
	assert.Equal(t, []port{{Name: "http", Port: monitoringPort(t, "api"), TargetPort: "http"}}, service.Spec.Ports)
	for name, replicas := range map[string]int{"staffeln-scheduler": 2, "staffeln-worker": 3, "staffeln-api": 2} {
		assert.Equal(t, replicas, find(t, objects, "Deployment", name).Spec.Replicas, name)
	}
	find(t, objects, "Job", "staffeln-migrate")
}

// What is read of docker-compose.yml.
type composed struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
}

type service struct {
	Image, User, Restart string
	Command              []string
	Environment          map[string]string
	Secrets              []string
	ReadOnly             bool     `yaml:"read_only"`
	CapDrop              []string `yaml:"cap_drop"`
	StopGracePeriod      string   `yaml:"stop_grace_period"`
	Healthcheck          struct {
		Test        []string
		Timeout     string
		StartPeriod string `yaml:"start_period"`
	}
}

func compose(t *testing.T) (c composed) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(read(t, composeFile), &c))
	require.NotEmpty(t, c.ours())
	return c
}

func (c composed) ours() map[string]service {
	found := map[string]service{}
	for name, s := range c.Services {
		if strings.HasPrefix(s.Image, "staffeln:") {
			found[name] = s
		}
	}
	return found
}

// What is read of the manifest for Kubernetes.
type object struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Data     map[string]string
	Spec     spec
}

type spec struct {
	Replicas int
	Selector map[string]any
	Ports    []port
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     pod
	}
}

type port struct {
	Name          string
	Port          int
	ContainerPort int    `yaml:"containerPort"`
	TargetPort    string `yaml:"targetPort"`
}

type pod struct {
	EnableServiceLinks            *bool `yaml:"enableServiceLinks"`
	TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	TopologySpreadConstraints []struct {
		LabelSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	Containers []container
	Volumes    []struct {
		Secret struct{ Items []struct{ Path string } }
	}
}

type container struct {
	Args    []string
	EnvFrom []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Ports           []port
	StartupProbe    probe `yaml:"startupProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	Resources       struct{ Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}

func manifest(t *testing.T) (objects []object) {
	t.Helper()
	for decoder := yaml.NewDecoder(bytes.NewReader(read(t, manifestFile))); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return objects
		}
		require.NoError(t, err)
		objects = append(objects, o)
	}
}

func find(t *testing.T, objects []object, kind, name string) object {
	t.Helper()
	i := slices.IndexFunc(objects, func(o object) bool { return o.Kind == kind && o.Metadata.Name == name })
	require.GreaterOrEqual(t, i, 0, "%s has no %s %s", manifestFile, kind, name)
	return objects[i]
}

// selected answers the labels of a selector, which a Service writes without matchLabels.
func (s spec) selected(t *testing.T) map[string]string {
	t.Helper()
	from := s.Selector
	if inner, ok := from["matchLabels"].(map[string]any); ok {
		from = inner
	}
	labels := map[string]string{}
	for name, value := range from {
		labels[name] = fmt.Sprint(value)
	}
	return labels
}

// secretFiles are the paths at which the containers see the keys of the Secret.
func (p pod) secretFiles() (paths []string) {
	for _, v := range p.Volumes {
		for _, item := range v.Secret.Items {
			paths = append(paths, p.Containers[0].VolumeMounts[0].MountPath+"/"+item.Path)
		}
	}
	return paths
}

// settings are the lines of a systemd unit.
type settings map[string][]string

func unit(t *testing.T, file string) settings {
	t.Helper()
	found := settings{}
	for line := range strings.Lines(string(read(t, file))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = append(found[name], value)
		}
	}
	return found
}

func (s settings) one(t *testing.T, name string) string {
	t.Helper()
	require.Len(t, s[name], 1, name)
	return s[name][0]
}

// constant reads a time of the program's own from its source: packages above this one do not export them.
func constant(t *testing.T, file, name string) time.Duration {
	t.Helper()
	found := regexp.MustCompile(`(?m)^(?:const|\t)\s*` + name + `\s*= (\d+) \* time\.Second$`).FindSubmatch(read(t, file))
	require.NotNil(t, found, "%s: no %s", file, name)
	return duration(t, string(found[1])+"s")
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
