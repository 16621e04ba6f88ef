{{- define "staffeln.apiVariables" -}}
# A Service still sends requests for some seconds to a pod that is being stopped.
- { name: STAFFELN_API_DRAIN_TIME, value: 5s }
# Separate from the web pages and the delete check: many connections there cannot delay probes, and the
# Services of both do not expose metrics.
- { name: STAFFELN_API_METRICS_LISTEN, value: "0.0.0.0:9808" }
{{- if .Values.api.check.separate }}
# The delete check, separate from the web pages.
- { name: STAFFELN_API_CHECK_LISTEN, value: "0.0.0.0:8809" }
{{- end }}
{{- if .Values.api.tls.existingSecret }}
- { name: STAFFELN_API_TLS_CERT_FILE, value: /run/secrets/tls/tls.crt }
- { name: STAFFELN_API_TLS_KEY_FILE, value: /run/secrets/tls/tls.key }
{{- if .Values.api.tls.clientCA }}
- { name: STAFFELN_API_TLS_CLIENT_CA_FILE, value: /run/secrets/tls/ca.crt }
{{- end }}
{{- end }}
{{- with include "staffeln.secretKey" (list . "apiQueuesToken") }}
# A variable, because the file of a missing key would be a configuration fault.
- name: STAFFELN_API_QUEUES_TOKEN
  valueFrom:
    secretKeyRef: { name: {{ include "staffeln.secretName" (list $ "apiQueuesToken") }}, key: {{ . }}, optional: true }
{{- end }}
{{- end }}
