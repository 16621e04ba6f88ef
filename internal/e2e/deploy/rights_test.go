package deploy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"

	"staffeln/internal/config"
)

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
		if p := pods(o); p != nil {
			assert.Equal(t, user[1], fmt.Sprint(*p.Spec.SecurityContext.RunAsUser), "%s: the image's user", o.GetName())
			restricted(t, o.GetName(), p.Spec)
		}
	}
	for _, file := range unitFiles {
		u := unit(t, file)
		for name, want := range map[string]string{"DynamicUser": "yes", "ProtectSystem": "strict", "CapabilityBoundingSet": ""} {
			assert.Equal(t, want, u.one(t, name), "%s: %s", file, name)
		}
		// Not EnvironmentFile, whose values would win over those of the unit.
		assert.NotContains(t, u, "EnvironmentFile", file)
		assert.Contains(t, u["LoadCredential"], "staffeln.env:"+config.StandardEnvFile, file)
		assert.Contains(t, u["Environment"], config.EnvFileVariable+"=%d/staffeln.env", file)
	}
}

// restricted asserts what the cluster requires of pods at the level that the manifest's Namespace enforces, and more.
func restricted(t *testing.T, name string, pod corev1.PodSpec) {
	t.Helper()
	assert.Equal(t, new(true), pod.SecurityContext.RunAsNonRoot, name)
	assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type, name)
	assert.Equal(t, new(false), pod.EnableServiceLinks, name)
	assert.Equal(t, new(false), pod.AutomountServiceAccountToken, name)
	for _, c := range pod.Containers {
		assert.Equal(t, new(true), c.SecurityContext.ReadOnlyRootFilesystem, name)
		assert.Equal(t, new(false), c.SecurityContext.AllowPrivilegeEscalation, name)
		assert.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, name)
		assert.False(t, c.Resources.Limits.Memory().IsZero(), "%s: no limit for RAM", name)
	}
}

func TestDeployManifestIsConsistent(t *testing.T) {
	objects := manifest(t)
	assert.Empty(t, of[*corev1.Secret](objects), "secrets are referred to, not written")
	replicas := map[string]int32{}
	for _, d := range of[*appsv1.Deployment](objects) {
		replicas[d.Name] = *d.Spec.Replicas
		named[*policyv1.PodDisruptionBudget](t, objects, d.Name)
		for name, path := range named[*corev1.ConfigMap](t, objects, "staffeln").Data {
			secret, isFile := strings.CutSuffix(name, "_FILE")
			v, read := configuration(t)[secret]
			if isFile && read && slices.Contains(v.readBy, d.Spec.Template.Spec.Containers[0].Args[0]) {
				assert.Contains(t, secretFiles(d.Spec.Template.Spec), path, "%s: %s", d.Name, name)
			}
		}
	}
	assert.Equal(t, map[string]int32{"staffeln-scheduler": 2, "staffeln-worker": 3, "staffeln-api": 2}, replicas)
	service := named[*corev1.Service](t, objects, "staffeln-api")
	assert.Equal(t, defaultPort(t, "STAFFELN_API_LISTEN", "api"), fmt.Sprint(service.Spec.Ports[0].Port))
	named[*batchv1.Job](t, objects, "staffeln-migrate")
}

// secretFiles returns the paths at which a pod's first container has keys of Secrets.
func secretFiles(pod corev1.PodSpec) (paths []string) {
	for _, m := range pod.Containers[0].VolumeMounts {
		for _, v := range pod.Volumes {
			if v.Name != m.Name || v.Projected == nil {
				continue
			}
			for _, source := range v.Projected.Sources {
				for _, item := range source.Secret.Items {
					paths = append(paths, m.MountPath+"/"+item.Path)
				}
			}
		}
	}
	return paths
}
