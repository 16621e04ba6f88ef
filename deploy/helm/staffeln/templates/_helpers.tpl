{{- define "staffeln.name" -}}{{ .Values.fullnameOverride }}{{- end }}

{{- /* labels of a component that its selectors use: (list . "worker") */ -}}
{{- define "staffeln.selector" -}}
app.kubernetes.io/name: {{ include "staffeln.name" (first .) }}, app.kubernetes.io/component: {{ last . }}
{{- end }}

{{- define "staffeln.labels" -}}
{{- $root := first . -}}
{{ include "staffeln.selector" . }}
{{- if not $root.Values.withoutHelm -}}
, app.kubernetes.io/instance: {{ $root.Release.Name }}, app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}, app.kubernetes.io/managed-by: {{ $root.Release.Service }}, helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end }}
{{- end }}

{{- define "staffeln.image" -}}
{{- with .Values.image -}}
{{ with .registry }}{{ . }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- /* name and key of a secret: (list . "databaseURL") */ -}}
{{- define "staffeln.secretName" -}}
{{- $of := (first .).Values.secrets -}}
{{ default $of.existingSecret (index $of (last .)).existingSecret }}
{{- end }}
{{- define "staffeln.secretKey" -}}
{{ (index (first .).Values.secrets (last .)).key }}
{{- end }}

{{- /* The variables of all processes; those of files win. */ -}}
{{- define "staffeln.variables" -}}
{{- $files := dict
  "OS_PASSWORD_FILE" "/run/secrets/staffeln/os_password"
  "STAFFELN_DATABASE_URL_FILE" "/run/secrets/staffeln/database_url"
  "STAFFELN_REDIS_URL_FILE" "/run/secrets/staffeln/redis_url" -}}
{{- if .Values.secrets.senderPassword.key }}{{ $_ := set $files "STAFFELN_SENDER_PWD_FILE" "/run/secrets/staffeln/sender_password" }}{{ end -}}
{{- if .Values.secrets.heartbeatURL.key }}{{ $_ := set $files "STAFFELN_HEARTBEAT_URL_FILE" "/run/secrets/staffeln/heartbeat_url" }}{{ end -}}
{{- if .Values.secrets.webhookURL.key }}{{ $_ := set $files "STAFFELN_WEBHOOK_URL_FILE" "/run/secrets/staffeln/webhook_url" }}{{ end -}}
{{- if .Values.secrets.webhookSecret.key }}{{ $_ := set $files "STAFFELN_WEBHOOK_SECRET_FILE" "/run/secrets/staffeln/webhook_secret" }}{{ end -}}
{{- if or .Values.ca.existingConfigMap .Values.ca.existingSecret }}{{ $_ := set $files "OS_CACERT" "/etc/staffeln/ca/ca.crt" }}{{ end -}}
{{- toYaml (merge $files .Values.config) }}
{{- end }}
