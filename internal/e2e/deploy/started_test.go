package deploy

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"staffeln/internal/e2e/rig"
)

// started is one process that one of the files starts.
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
		p := pods(o)
		if p == nil {
			continue
		}
		c := p.Spec.Containers[0]
		variables := map[string]string{}
		for _, from := range c.EnvFrom {
			maps.Copy(variables, named[*corev1.ConfigMap](t, objects, from.ConfigMapRef.Name).Data)
		}
		for _, v := range c.Env {
			variables[v.Name] = v.Value
		}
		all = append(all, started{manifestFile, o.GetName(), c.Args, variables})
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

func TestDeployStartsSubcommandsWithRequiredVariables(t *testing.T) {
	binary, variables := rig.Program(t), configuration(t)
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
