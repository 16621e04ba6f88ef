package deploy

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// pod rejects what a cluster would reject of a pod, or what prevents its start.
func (r *review) pod(namespace string, template *corev1.PodTemplateSpec) {
	r.none(metavalidation.ValidateLabels(template.Labels, field.NewPath("template", "labels")))
	p := template.Spec
	r.refuse(p.TerminationGracePeriodSeconds != nil && *p.TerminationGracePeriodSeconds < 0, "terminationGracePeriodSeconds below zero")
	if p.SecurityContext != nil && p.SecurityContext.SeccompProfile != nil {
		r.oneOf("seccompProfile", p.SecurityContext.SeccompProfile.Type, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeUnconfined)
	}
	for _, spread := range p.TopologySpreadConstraints {
		r.refuse(spread.MaxSkew < 1, "maxSkew %d: want at least 1", spread.MaxSkew)
		r.must(validation.IsQualifiedName(spread.TopologyKey), "topologyKey %q", spread.TopologyKey)
		r.oneOf("whenUnsatisfiable", spread.WhenUnsatisfiable, corev1.DoNotSchedule, corev1.ScheduleAnyway)
		r.selects("labelSelector", spread.LabelSelector, template.Labels)
	}
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		r.must(validation.IsDNS1123Label(v.Name), "volume name %q", v.Name)
		r.refuse(volumes[v.Name], "volume %s is there twice", v.Name)
		volumes[v.Name] = true
		r.volume(namespace, v)
	}
	r.refuse(len(p.Containers) == 0, "no containers")
	names := map[string]bool{}
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		r.refuse(names[c.Name], "container %s is there twice", c.Name)
		names[c.Name] = true
		r.container(namespace, c, volumes)
	}
}

func (r *review) container(namespace string, c corev1.Container, volumes map[string]bool) {
	r.must(validation.IsDNS1123Label(c.Name), "container name %q", c.Name)
	r.refuse(c.Image == "", "container %s has no image", c.Name)
	r.oneOf("imagePullPolicy", c.ImagePullPolicy, corev1.PullPolicy(""), corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)
	r.environment(namespace, c)
	numbers, names := map[int32]bool{}, map[string]bool{}
	for _, p := range c.Ports {
		r.must(validation.IsValidPortNum(int(p.ContainerPort)), "containerPort %d", p.ContainerPort)
		if p.Name != "" {
			r.must(validation.IsValidPortName(p.Name), "port name %q", p.Name)
		}
		r.refuse(numbers[p.ContainerPort] || p.Name != "" && names[p.Name], "port %s %d is there twice", p.Name, p.ContainerPort)
		numbers[p.ContainerPort], names[p.Name] = true, true
	}
	for kind, p := range map[string]*corev1.Probe{"startupProbe": c.StartupProbe, "livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe} {
		if p != nil {
			r.probe(kind, p, c)
		}
	}
	mounted := map[string]bool{}
	for _, m := range c.VolumeMounts {
		r.refuse(!volumes[m.Name], "volumeMount %s: the pod has no such volume", m.Name)
		r.refuse(!path.IsAbs(m.MountPath) || strings.Contains(m.MountPath, ":") || mounted[m.MountPath], "mountPath %q: want an absolute one, once", m.MountPath)
		mounted[m.MountPath] = true
	}
	for resource, least := range c.Resources.Requests {
		most, limited := c.Resources.Limits[resource]
		r.refuse(least.Sign() < 0 || limited && least.Cmp(most) > 0, "%s: %s is asked for, %s is the limit", resource, &least, &most)
	}
}

func (r *review) environment(namespace string, c corev1.Container) {
	for _, from := range c.EnvFrom {
		switch {
		case from.ConfigMapRef != nil && from.SecretRef == nil:
			r.hasKey(namespace, "ConfigMap", from.ConfigMapRef.Name, "", from.ConfigMapRef.Optional)
			data, _ := r.configured(namespace, from.ConfigMapRef.Name)
			for name := range data {
				r.must(validation.IsEnvVarName(from.Prefix+name), "variable %q of ConfigMap %s", from.Prefix+name, from.ConfigMapRef.Name)
			}
		case from.SecretRef != nil && from.ConfigMapRef == nil:
			r.hasKey(namespace, "Secret", from.SecretRef.Name, "", from.SecretRef.Optional)
		default:
			r.refuse(true, "envFrom: want one of configMapRef and secretRef")
		}
	}
	names := map[string]bool{}
	for _, v := range c.Env {
		r.must(validation.IsEnvVarName(v.Name), "variable %q", v.Name)
		r.refuse(names[v.Name], "variable %s is there twice", v.Name)
		names[v.Name] = true
		if v.ValueFrom == nil {
			continue
		}
		r.refuse(v.Value != "", "variable %s: both value and valueFrom", v.Name)
		switch from := v.ValueFrom; {
		case from.ConfigMapKeyRef != nil && from.SecretKeyRef == nil:
			r.hasKey(namespace, "ConfigMap", from.ConfigMapKeyRef.Name, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Optional)
		case from.SecretKeyRef != nil && from.ConfigMapKeyRef == nil:
			r.hasKey(namespace, "Secret", from.SecretKeyRef.Name, from.SecretKeyRef.Key, from.SecretKeyRef.Optional)
		default:
			r.refuse(true, "variable %s: want one of configMapKeyRef and secretKeyRef", v.Name)
		}
	}
}

func (r *review) probe(kind string, p *corev1.Probe, c corev1.Container) {
	r.refuse(min(p.InitialDelaySeconds, p.PeriodSeconds, p.TimeoutSeconds, p.FailureThreshold, p.SuccessThreshold) < 0, "%s: a number below zero", kind)
	r.refuse(kind != "readinessProbe" && p.SuccessThreshold > 1, "%s: one success is enough there", kind)
	if p.HTTPGet == nil || p.Exec != nil || p.TCPSocket != nil || p.GRPC != nil {
		r.refuse(true, "%s: want httpGet and nothing else", kind)
		return
	}
	r.oneOf(kind+" scheme", p.HTTPGet.Scheme, corev1.URIScheme(""), corev1.URISchemeHTTP, corev1.URISchemeHTTPS)
	r.refuse(!strings.HasPrefix(p.HTTPGet.Path, "/"), "%s: path %q", kind, p.HTTPGet.Path)
	r.refuse(!opens(c, p.HTTPGet.Port), "%s: port %s: the container has no such port", kind, &p.HTTPGet.Port)
}

// opens reports whether a container has the port, by name or number.
func opens(c corev1.Container, port intstr.IntOrString) bool {
	for _, p := range c.Ports {
		if port == intstr.FromInt32(p.ContainerPort) || p.Name != "" && port == intstr.FromString(p.Name) {
			return true
		}
	}
	return false
}
