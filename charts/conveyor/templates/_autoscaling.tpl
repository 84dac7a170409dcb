{{/* Nothing where a scaler decides; and nobody writes while a restore runs. */}}
{{- define "conveyor.replicas" -}}
{{- if .root.Values.restore.from -}}
replicas: 0
{{- else if not .values.autoscaling.enabled -}}
replicas: {{ .values.replicas | default .values.autoscaling.minReplicas }}
{{- end }}
{{- end }}

{{- define "conveyor.horizontalPodAutoscaler" -}}
{{- $scaling := .values.autoscaling }}
{{- if and $scaling.enabled (not .root.Values.restore.from) }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{- include "conveyor.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "conveyor.name" . }}
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $scaling.targetCPUUtilization }}}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
      policies: [{type: Pods, value: 1, periodSeconds: 60}]
{{- end }}
{{- end }}

{{/* The pools with what holds for all of them, as JSON: a template can return text only. */}}
{{- define "conveyor.pools" -}}
{{- $pools := dict }}
{{- range $name, $pool := .Values.workers }}
  {{- $_ := set $pools $name (mergeOverwrite (deepCopy $.Values.workerDefaults) ($pool | default dict)) }}
{{- end }}
{{- toJson $pools }}
{{- end }}
