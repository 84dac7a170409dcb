{{/* Where docs/runbooks of this version is read. */}}
{{- define "conveyor.runbooks" -}}
{{- $here := printf "%s/blob/v%s/docs/runbooks" .Chart.Home .Chart.AppVersion }}
{{- .Values.monitoring.runbooks | default $here | trimSuffix "/" }}
{{- end }}
