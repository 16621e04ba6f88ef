package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// network rejects a policy that selects no pods, allows every peer, or opens a port that its pods do not have.
func (r *review) network(p *networkingv1.NetworkPolicy) {
	for _, kind := range p.Spec.PolicyTypes {
		r.oneOf("policyTypes", kind, networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	}
	selector, err := metav1.LabelSelectorAsSelector(&p.Spec.PodSelector)
	r.refuse(err != nil, "podSelector: %v", err)
	if err != nil {
		return
	}
	chosen := 0
	for _, d := range of[*appsv1.Deployment](r.objects) {
		if !selector.Matches(labels.Set(d.Spec.Template.Labels)) {
			continue
		}
		chosen++
		for _, rule := range p.Spec.Ingress {
			for _, port := range rule.Ports {
				open := port.Port != nil && slices.ContainsFunc(d.Spec.Template.Spec.Containers, func(c corev1.Container) bool { return opens(c, *port.Port) })
				r.refuse(!open, "port %v: the pods of %s have no such port", port.Port, d.Name)
			}
		}
	}
	r.refuse(chosen == 0, "podSelector %q chooses nobody's pods", selector)
	for _, rule := range p.Spec.Ingress {
		r.refuse(len(rule.From) == 0, "a rule without from lets everybody in")
		r.refuse(len(rule.Ports) == 0, "a rule without ports opens all")
		for _, peer := range rule.From {
			r.refuse(everybody(peer), "a peer that is everybody")
		}
	}
}

// everybody reports whether a peer is any pod of any namespace.
func everybody(peer networkingv1.NetworkPolicyPeer) bool {
	if peer.IPBlock != nil {
		return strings.HasSuffix(peer.IPBlock.CIDR, "/0")
	}
	namespaces, err := metav1.LabelSelectorAsSelector(peer.NamespaceSelector)
	if err != nil || peer.NamespaceSelector != nil {
		return err != nil || namespaces.Empty()
	}
	own, err := metav1.LabelSelectorAsSelector(peer.PodSelector)
	return err != nil || peer.PodSelector == nil || own.Empty()
}

// Every connection to a pod needs a rule: Cinder may reach only the delete check, the ingress only the pages, the monitoring
// only the metrics.
func TestDeployNetworkPoliciesAllowOnlyRequiredConnections(t *testing.T) {
	objects := manifest(t)
	policies := of[*networkingv1.NetworkPolicy](objects)
	for _, o := range objects {
		p := pods(o)
		denies := func(n *networkingv1.NetworkPolicy) bool {
			selector, err := metav1.LabelSelectorAsSelector(&n.Spec.PodSelector)
			require.NoError(t, err)
			return len(n.Spec.Ingress) == 0 && slices.Contains(n.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) && selector.Matches(labels.Set(p.Labels))
		}
		assert.True(t, p == nil || slices.ContainsFunc(policies, denies), "%s: no policy denies all to its pods", title(o))
	}
	opened := map[string][]string{}
	for _, p := range policies {
		for _, rule := range p.Spec.Ingress {
			for _, port := range rule.Ports {
				for _, peer := range rule.From {
					opened[port.Port.String()] = append(opened[port.Port.String()], peer.NamespaceSelector.MatchLabels[corev1.LabelMetadataName])
				}
			}
		}
	}
	assert.Equal(t, map[string][]string{"check": {"openstack"}, "http": {"ingress"}, "monitoring": {"monitoring"}}, opened)
	for name, port := range map[string]string{"staffeln-api": "http", "staffeln-check": "check"} {
		s := named[*corev1.Service](t, objects, name)
		require.Len(t, s.Spec.Ports, 1, name)
		assert.Equal(t, port, s.Spec.Ports[0].TargetPort.String(), "%s shows nothing else", name)
	}
}
