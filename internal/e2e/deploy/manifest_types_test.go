package deploy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// object is a decoded document of the manifest, with one of the API's own types.
type object interface {
	runtime.Object
	metav1.Object
}

// operatorKinds are those of operators, of which a cluster may have none. kubectl-validate checks their fields.
var operatorKinds = []schema.GroupVersionKind{
	{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"},
	{Group: "monitoring.coreos.com", Version: "v1", Kind: "PrometheusRule"},
	{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"},
}

// decode decodes the documents of a manifest as strictly as the API server does for `kubectl --validate`: unknown fields,
// values of another type and duplicate fields are errors.
func decode(text string) (objects []object, err error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, policyv1.AddToScheme, networkingv1.AddToScheme, autoscalingv2.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	for _, kind := range operatorKinds {
		scheme.AddKnownTypeWithName(kind, &unstructured.Unstructured{})
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	for documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		decoded, kind, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("document %d, %v: %w", len(objects)+1, kind, err)
		}
		o, is := decoded.(object)
		if !is {
			return nil, fmt.Errorf("document %d is a %T: name each object", len(objects)+1, decoded)
		}
		objects = append(objects, o)
	}
}

func manifest(t *testing.T) []object {
	t.Helper()
	objects, err := decode(string(read(t, manifestFile)))
	require.NoError(t, err, manifestFile)
	return objects
}

func title(o object) string { return o.GetObjectKind().GroupVersionKind().Kind + " " + o.GetName() }

// of returns the objects of one type.
func of[T object](objects []object) (found []T) {
	for _, o := range objects {
		if one, is := o.(T); is {
			found = append(found, one)
		}
	}
	return found
}

// named returns the object of one type with the name.
func named[T object](t *testing.T, objects []object, name string) T {
	t.Helper()
	for _, o := range of[T](objects) {
		if o.GetName() == name {
			return o
		}
	}
	require.FailNow(t, "not there", "%s has no %T %s", manifestFile, *new(T), name)
	panic("unreachable")
}

// pods returns the pod template of an object, or nil.
func pods(o object) *corev1.PodTemplateSpec {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	}
	return nil
}

func TestDeployManifestIsValid(t *testing.T) {
	objects := manifest(t)
	assert.Len(t, objects, strings.Count(string(read(t, manifestFile)), "\napiVersion: "), "documents that were read")
	for _, refusal := range refusals(objects, documentedSecrets(t)) {
		assert.Fail(t, "refused", "%s: %s", manifestFile, refusal)
	}
}
