{{- /* labels and annotations of a pod: (list . "worker") */ -}}
{{- define "staffeln.podMetadata" -}}
{{- $root := first . -}}
labels: { {{ include "staffeln.selector" . }}{{ range $name, $value := $root.Values.podLabels }}, {{ $name }}: {{ $value | quote }}{{ end }} }
{{- if or $root.Values.podAnnotations (not $root.Values.withoutHelm) }}
annotations:
  {{- if not $root.Values.withoutHelm }}
  checksum/config: {{ include "staffeln.variables" $root | sha256sum }} # a changed ConfigMap restarts the pods
  {{- end }}
  {{- with $root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* what all pods have in common */ -}}
{{- define "staffeln.pod" -}}
enableServiceLinks: false # a process ignores these variables anyway
automountServiceAccountToken: false # no process calls the Kubernetes API
{{- with .Values.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end }}

{{- /* over which the pods of a component are spread: (list . "worker") */ -}}
{{- define "staffeln.spread" -}}
{{- $spread := (first .).Values.topologySpread -}}
{{- if $spread.keys -}}
topologySpreadConstraints:
  {{- range $key := $spread.keys }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $spread.whenUnsatisfiable }}
    labelSelector: { matchLabels: { {{ include "staffeln.selector" $ }} } }
  {{- end }}
{{- end }}
{{- end }}

{{- /* what all containers have in common, with the resources of one: (list . .Values.worker) */ -}}
{{- define "staffeln.container" -}}
{{- $root := first . -}}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
resources:
  {{- toYaml (last .).resources | nindent 2 }}
securityContext:
  {{- toYaml $root.Values.securityContext | nindent 2 }}
{{- end }}

{{- define "staffeln.mounts" -}}
- { name: secrets, mountPath: /run/secrets/staffeln, readOnly: true }
{{- if or .Values.ca.existingConfigMap .Values.ca.existingSecret }}
- { name: ca, mountPath: /etc/staffeln/ca, readOnly: true }
{{- end }}
{{- end }}

{{- /* volumes with the secrets of a process: (list . (dict "databaseURL" "database_url")) gives the file of each */ -}}
{{- define "staffeln.volumes" -}}
{{- $root := first . -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $secret, $file := last . }}
      {{- if include "staffeln.secretKey" (list $root $secret) }}
      - secret: { name: {{ include "staffeln.secretName" (list $root $secret) }}, items: [{ key: {{ include "staffeln.secretKey" (list $root $secret) }}, path: {{ $file }} }] }
      {{- end }}
      {{- end }}
{{- with $root.Values.ca }}
{{- if .existingConfigMap }}
- name: ca
  configMap: { name: {{ .existingConfigMap }}, items: [{ key: {{ .key }}, path: ca.crt }] }
{{- else if .existingSecret }}
- name: ca
  secret: { secretName: {{ .existingSecret }}, defaultMode: 0440, items: [{ key: {{ .key }}, path: ca.crt }] }
{{- end }}
{{- end }}
{{- end }}

{{- /* probes of scheduler and worker */ -}}
{{- define "staffeln.probes" -}}
# It listens as soon as it has a token of the cloud; it tries for up to a minute before it ends.
startupProbe:
  httpGet: { path: /livez, port: monitoring }
  periodSeconds: 5
  failureThreshold: 18
# Alive: the process responds. A database that is down restarts nothing.
livenessProbe:
  httpGet: { path: /livez, port: monitoring }
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
# Ready: Postgres and Redis respond (within 3 s), and Keystone does not refuse the login.
readinessProbe:
  httpGet: { path: /readyz, port: monitoring }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
