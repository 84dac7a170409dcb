{{/* Peers and ports of the network policies; the root is the scope of all of them. */}}

{{- define "conveyor.pods" -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
    app.kubernetes.io/instance: {{ .root.Release.Name }}
  matchExpressions:
    - {key: app.kubernetes.io/component, operator: In, values: [{{ join ", " .components }}]}
{{- end }}

{{/* Nothing where everyone may come: the server drops an empty list, and every upgrade would bring it back. */}}
{{- define "conveyor.fromClients" -}}
{{- with .Values.networkPolicy.clients -}}
from:
  {{- toYaml . | nindent 2 }}
  - {{- include "conveyor.pods" (dict "root" $ "components" (list "test")) | nindent 4 }}
{{- end }}
{{- end }}

{{- define "conveyor.fromMonitoring" -}}
from: {{- .Values.networkPolicy.monitoring | default (list (dict "namespaceSelector" dict)) | toYaml | nindent 2 }}
{{- end }}

{{- define "conveyor.toDns" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{- define "conveyor.toRedis" -}}
{{- if .Values.redis.external.enabled -}}
- ports: [{port: {{ .Values.redis.external.port }}}]
{{- else -}}
- to:
    - {{- include "conveyor.pods" (dict "root" . "components" (list "redis")) | nindent 6 }}
  ports: [{port: 6379}]
{{- end }}
{{- end }}

{{- define "conveyor.toMysql" -}}
{{- if .Values.mysql.external.enabled }}
{{- $ports := list (int .Values.mysql.external.port) }}
{{- range .Values.mysql.external.replicaHosts }}
  {{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" .) | default "3306" | int) }}
{{- end -}}
- ports:
    {{- range uniq $ports }}
    - {port: {{ . }}}
    {{- end }}
{{- else -}}
- to:
    - {{- include "conveyor.pods" (dict "root" . "components" (list "mysql")) | nindent 6 }}
  ports: [{port: 3306}]
{{- end }}
{{- end }}

{{- define "conveyor.toCollector" -}}
{{- if .Values.tracing.enabled }}
{{- $host := regexFind "^https?://[^/]+" .Values.tracing.endpoint }}
    - ports: [{port: {{ regexFind ":[0-9]+$" $host | trimAll ":" | default (hasPrefix "https:" $host | ternary 443 80) }}}]
      {{- with .Values.networkPolicy.collector }}
      to: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}
{{- end }}

{{- define "conveyor.toKubernetesApi" -}}
- to: [{ipBlock: {cidr: {{ .Values.networkPolicy.kubernetesApi.cidr }}}}]
  ports:
    {{- range .Values.networkPolicy.kubernetesApi.ports }}
    - {port: {{ . }}}
    {{- end }}
{{- end }}
