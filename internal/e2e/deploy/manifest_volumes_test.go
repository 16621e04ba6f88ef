package deploy

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// volume rejects a volume that a cluster would reject, or whose Secret, ConfigMap or key does not exist.
func (r *review) volume(namespace string, v corev1.Volume) {
	var mode *int32
	kinds := 0
	var sources []corev1.VolumeProjection
	if v.Secret != nil {
		kinds, mode = kinds+1, v.Secret.DefaultMode
		of := corev1.LocalObjectReference{Name: v.Secret.SecretName}
		sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{LocalObjectReference: of, Items: v.Secret.Items, Optional: v.Secret.Optional}})
	}
	if v.ConfigMap != nil {
		kinds, mode = kinds+1, v.ConfigMap.DefaultMode
		sources = append(sources, corev1.VolumeProjection{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: v.ConfigMap.LocalObjectReference, Items: v.ConfigMap.Items, Optional: v.ConfigMap.Optional}})
	}
	if v.Projected != nil {
		kinds, mode, sources = kinds+1, v.Projected.DefaultMode, v.Projected.Sources
	}
	if v.EmptyDir != nil {
		kinds++
	}
	r.refuse(kinds != 1, "volume %s: want one of secret, configMap, projected and emptyDir", v.Name)
	r.refuse(mode != nil && (*mode < 0 || *mode > 0o777), "volume %s: defaultMode is no mode", v.Name)
	paths := map[string]bool{}
	for _, source := range sources {
		for _, item := range r.source(namespace, v.Name, source) {
			inside := item.Path != "" && !path.IsAbs(item.Path) && !strings.HasPrefix(path.Clean(item.Path), "..")
			r.refuse(!inside, "volume %s: path %q is not in it", v.Name, item.Path)
			r.refuse(paths[item.Path], "volume %s: path %q is there twice", v.Name, item.Path)
			paths[item.Path] = true
		}
	}
}

// source rejects references to what does not exist, and returns the files of a volume's source.
func (r *review) source(namespace, volume string, source corev1.VolumeProjection) (items []corev1.KeyToPath) {
	var kind, name string
	var optional *bool
	switch {
	case source.Secret != nil && source.ConfigMap == nil:
		kind, name, items, optional = "Secret", source.Secret.Name, source.Secret.Items, source.Secret.Optional
	case source.ConfigMap != nil && source.Secret == nil:
		kind, name, items, optional = "ConfigMap", source.ConfigMap.Name, source.ConfigMap.Items, source.ConfigMap.Optional
	default:
		r.refuse(true, "volume %s: a source: want one of secret and configMap", volume)
		return nil
	}
	r.hasKey(namespace, kind, name, "", optional)
	for _, item := range items {
		r.hasKey(namespace, kind, name, item.Key, optional)
	}
	return items
}
