package deploy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// review checks what the types of a manifest allow but a cluster does not: what the API server rejects, and references to
// missing objects, which let a pod wait forever.
type review struct {
	objects []object
	secrets map[string][]string // keys of the Secrets that the instructions create, by name
	about   string
	found   []string
}

// refusals returns what a cluster would reject of the decoded objects.
func refusals(objects []object, secrets map[string][]string) []string {
	r := &review{objects: objects, secrets: secrets}
	seen := map[string]bool{}
	for _, o := range objects {
		r.about = title(o)
		r.refuse(seen[r.about+o.GetNamespace()], "is there twice")
		seen[r.about+o.GetNamespace()] = true
		r.metadata(o)
		switch o := o.(type) {
		case *corev1.Namespace, *unstructured.Unstructured:
		case *corev1.ConfigMap:
			for key := range o.Data {
				r.must(validation.IsConfigMapKey(key), "key %q", key)
			}
		case *appsv1.Deployment:
			r.deployment(o)
		case *batchv1.Job:
			r.refuse(o.Spec.Selector != nil, "selector: a Job's is made by the cluster")
			r.oneOf("restartPolicy", o.Spec.Template.Spec.RestartPolicy, corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure)
		case *corev1.Service:
			r.service(o)
		case *policyv1.PodDisruptionBudget:
			r.budget(o)
		case *autoscalingv2.HorizontalPodAutoscaler:
			r.autoscaler(o)
		case *networkingv1.NetworkPolicy:
			r.network(o)
		default:
			r.refuse(true, "no check for a %T: add one", o)
		}
		if template := pods(o); template != nil {
			r.pod(o.GetNamespace(), template)
		}
	}
	return r.found
}

// documentedSecrets returns the Secrets whose creation docs/running.md describes.
func documentedSecrets(t *testing.T) map[string][]string {
	t.Helper()
	text := string(read(t, "docs/running.md"))
	name := regexp.MustCompile(`create secret generic (\S+)`).FindStringSubmatch(text)
	require.NotNil(t, name, "docs/running.md makes no Secret")
	var keys []string
	for _, key := range regexp.MustCompile(`--from-file=([\w.-]+)`).FindAllStringSubmatch(text, -1) {
		keys = append(keys, key[1])
	}
	return map[string][]string{name[1]: keys}
}

func (r *review) refuse(wrong bool, format string, args ...any) {
	if wrong {
		r.found = append(r.found, r.about+": "+fmt.Sprintf(format, args...))
	}
}

// must rejects what one of the API's own checks rejects.
func (r *review) must(objections []string, format string, args ...any) {
	r.refuse(len(objections) > 0, format+": %s", append(args, strings.Join(objections, "; "))...)
}

func (r *review) none(faults field.ErrorList) {
	for _, err := range faults {
		r.refuse(true, "%v", err)
	}
}

// oneOf rejects a value that its type does not define.
func (r *review) oneOf(what string, word any, words ...any) {
	r.refuse(!slices.Contains(words, word), "%s %q: want one of %q", what, word, words)
}

func (r *review) metadata(o object) {
	check := apivalidation.NameIsDNSSubdomain
	_, isNamespace := o.(*corev1.Namespace)
	if _, isService := o.(*corev1.Service); isService {
		check = apivalidation.NameIsDNS1035Label
	}
	if isNamespace {
		check = apivalidation.NameIsDNSLabel
	}
	r.none(apivalidation.ValidateObjectMetaAccessor(o, !isNamespace, check, field.NewPath("metadata")))
	known := slices.ContainsFunc(of[*corev1.Namespace](r.objects), func(n *corev1.Namespace) bool { return n.Name == o.GetNamespace() })
	r.refuse(!isNamespace && !known, "namespace %q: no such Namespace in the file", o.GetNamespace())
}

func (r *review) deployment(d *appsv1.Deployment) {
	r.selects("selector", d.Spec.Selector, d.Spec.Template.Labels)
	if d.Spec.Replicas != nil {
		r.refuse(*d.Spec.Replicas < 0, "replicas %d", *d.Spec.Replicas)
	}
	r.oneOf("restartPolicy", d.Spec.Template.Spec.RestartPolicy, corev1.RestartPolicy(""), corev1.RestartPolicyAlways)
	r.oneOf("strategy", d.Spec.Strategy.Type, appsv1.DeploymentStrategyType(""), appsv1.RollingUpdateDeploymentStrategyType, appsv1.RecreateDeploymentStrategyType)
	rolling := d.Spec.Strategy.RollingUpdate
	if rolling == nil {
		return
	}
	r.refuse(d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType, "strategy Recreate with rollingUpdate")
	both := 0
	for _, amount := range []*intstr.IntOrString{rolling.MaxSurge, rolling.MaxUnavailable} {
		n, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(amount, intstr.FromString("25%")), 100, true)
		r.refuse(err != nil || n < 0, "rollingUpdate %v: %v", amount, err)
		both += n
	}
	r.refuse(both == 0, "rollingUpdate: neither a pod more nor one less: it could never begin")
}

// selects rejects a selector that does not match pods with these labels.
func (r *review) selects(what string, selector *metav1.LabelSelector, pods map[string]string) {
	asked, err := metav1.LabelSelectorAsSelector(selector)
	r.refuse(err != nil || asked.Empty() || !asked.Matches(labels.Set(pods)), "%s %s does not match its pods' labels %v", what, metav1.FormatLabelSelector(selector), pods)
}

// chosen returns the only Deployment whose pods a selector matches.
func (r *review) chosen(namespace string, selector labels.Selector) *appsv1.Deployment {
	var all []*appsv1.Deployment
	for _, d := range of[*appsv1.Deployment](r.objects) {
		if d.Namespace == namespace && !selector.Empty() && selector.Matches(labels.Set(d.Spec.Template.Labels)) {
			all = append(all, d)
		}
	}
	if len(all) != 1 {
		r.refuse(true, "selector %q chooses the pods of %d Deployments, want 1", selector, len(all))
		return nil
	}
	return all[0]
}

func (r *review) service(s *corev1.Service) {
	r.oneOf("type", s.Spec.Type, corev1.ServiceType(""), corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer)
	chosen := r.chosen(s.Namespace, labels.SelectorFromSet(s.Spec.Selector))
	names := map[string]bool{}
	r.refuse(len(s.Spec.Ports) == 0, "no ports")
	for _, port := range s.Spec.Ports {
		r.must(validation.IsValidPortNum(int(port.Port)), "port %d", port.Port)
		if port.Name != "" || len(s.Spec.Ports) > 1 {
			r.must(validation.IsDNS1123Label(port.Name), "port name %q", port.Name)
		}
		r.refuse(names[port.Name], "port name %q is there twice", port.Name)
		names[port.Name] = true
		if chosen != nil {
			target := port.TargetPort
			if target == (intstr.IntOrString{}) {
				target = intstr.FromInt32(port.Port)
			}
			open := slices.ContainsFunc(chosen.Spec.Template.Spec.Containers, func(c corev1.Container) bool { return opens(c, target) })
			r.refuse(!open, "targetPort %s: the pods of %s have no such port", &target, chosen.Name)
		}
	}
}

func (r *review) budget(b *policyv1.PodDisruptionBudget) {
	r.refuse((b.Spec.MinAvailable == nil) == (b.Spec.MaxUnavailable == nil), "want either minAvailable or maxUnavailable")
	if policy := b.Spec.UnhealthyPodEvictionPolicy; policy != nil {
		r.oneOf("unhealthyPodEvictionPolicy", *policy, policyv1.IfHealthyBudget, policyv1.AlwaysAllow)
	}
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		r.refuse(true, "selector: %v", err)
		return
	}
	r.chosen(b.Namespace, selector)
}

// configured returns the data of a ConfigMap.
func (r *review) configured(namespace, name string) (data map[string]string, there bool) {
	for _, c := range of[*corev1.ConfigMap](r.objects) {
		if c.Name == name && c.Namespace == namespace {
			return c.Data, true
		}
	}
	return nil, false
}

// hasKey rejects a reference to a missing key, or to all keys, of a ConfigMap or Secret.
func (r *review) hasKey(namespace, kind, name, key string, optional *bool) {
	keys, there := r.secrets[name]
	if kind == "ConfigMap" {
		var data map[string]string
		data, there = r.configured(namespace, name)
		keys = slices.Collect(maps.Keys(data))
	}
	if optional != nil && *optional {
		return
	}
	r.refuse(!there, "%s %s: there is none", kind, name)
	r.refuse(there && key != "" && !slices.Contains(keys, key), "%s %s has no key %q", kind, name, key)
}
