{{/* Always the same for one release in one namespace: it is part of every transaction's id. */}}
{{- define "conveyor.groupName" -}}
{{- $hash := printf "%s/%s" .Release.Namespace (include "conveyor.fullname" .) | sha256sum }}
{{- printf "%s-%s-%s-%s-%s" (substr 0 8 $hash) (substr 8 12 $hash) (substr 12 16 $hash) (substr 16 20 $hash) (substr 20 32 $hash) }}
{{- end }}

{{/* The domain of the members' own names. */}}
{{- define "conveyor.mysqlDomain" -}}
{{ include "conveyor.fullname" . }}-mysql.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end }}

{{- define "conveyor.mysqlMembers" -}}
{{- $pods := list }}
{{- range $ordinal := until (int .Values.mysql.replicas) }}
  {{- $pods = append $pods (printf "%s-mysql-%d" (include "conveyor.fullname" $) $ordinal) }}
{{- end }}
{{- join "," $pods }}
{{- end }}

{{- define "conveyor.groupSeeds" -}}
{{- $seeds := list }}
{{- range splitList "," (include "conveyor.mysqlMembers" .) }}
  {{- $seeds = append $seeds (printf "%s.%s:3306" . (include "conveyor.mysqlDomain" $)) }}
{{- end }}
{{- join "," $seeds }}
{{- end }}

{{- define "conveyor.agentMembers" -}}
{{- $members := list }}
{{- range splitList "," (include "conveyor.mysqlMembers" .) }}
  {{- $members = append $members (printf "%s=%s.%s:3306" . . (include "conveyor.mysqlDomain" $)) }}
{{- end }}
{{- join "," $members }}
{{- end }}

{{- define "conveyor.mysqlAccounts" -}}
- {name: LOG_FORMAT, value: json}
- {name: MYSQL_AGENT_USER, value: conveyor_agent}
- {name: MYSQL_AGENT_RECOVERY_USER, value: gr_recovery}
{{ include "conveyor.secretEnv" (dict "root" . "names" (list "MYSQL_AGENT_PASSWORD" "MYSQL_AGENT_RECOVERY_PASSWORD")) }}
{{- end }}

{{- define "conveyor.mysqlConfig" -}}
my.cnf: |
  {{- tpl (.Files.Get "files/mysql/my.cnf") . | nindent 2 }}
initialize.sh: |
  {{- .Files.Get "files/mysql/initialize.sh" | nindent 2 }}
hand-over.sh: |
  {{- .Files.Get "files/mysql/hand-over.sh" | nindent 2 }}
{{- end }}
