package deploy

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// autoscaler rejects one whose Deployment does not exist or has a number of pods of its own, and one without a range.
func (r *review) autoscaler(a *autoscalingv2.HorizontalPodAutoscaler) {
	scaled := 0
	for _, d := range of[*appsv1.Deployment](r.objects) {
		if d.Namespace == a.Namespace && d.Name == a.Spec.ScaleTargetRef.Name && a.Spec.ScaleTargetRef.Kind == "Deployment" {
			scaled++
			r.refuse(d.Spec.Replicas != nil, "%s has replicas of its own, which each upgrade would restore", d.Name)
		}
	}
	r.refuse(scaled != 1, "scaleTargetRef %s: there is none", a.Spec.ScaleTargetRef.Name)
	least := int32(1)
	if a.Spec.MinReplicas != nil {
		least = *a.Spec.MinReplicas
	}
	r.refuse(least < 1 || a.Spec.MaxReplicas < least, "from %d to %d pods", least, a.Spec.MaxReplicas)
	for _, m := range a.Spec.Metrics {
		r.oneOf("metric", m.Type, autoscalingv2.ExternalMetricSourceType)
		if m.External == nil {
			r.refuse(true, "an external metric without external")
			continue
		}
		r.oneOf("target", m.External.Target.Type, autoscalingv2.ValueMetricType)
		r.refuse(m.External.Target.Value == nil || m.External.Target.Value.Sign() < 1, "no target value")
	}
	r.refuse(len(a.Spec.Metrics) == 0, "no metric")
}
