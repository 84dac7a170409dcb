{{/* What every process of the application reads. Passwords are not among it: conveyor.secretEnv. */}}
{{- define "conveyor.settings" -}}
{{- $mysql := .Values.mysql }}
{{- $full := include "conveyor.fullname" . }}
{{- $primary := printf "%s-mysql-primary:3306" $full }}
{{- $replicas := gt (int $mysql.replicas) 1 | ternary (list (printf "%s-mysql-replicas:3306" $full)) list }}
{{- if $mysql.external.enabled }}
  {{- $primary = printf "%s:%d" $mysql.external.host (int $mysql.external.port) }}
  {{- $replicas = list }}
  {{- range $mysql.external.replicaHosts }}
    {{- $replicas = append $replicas (contains ":" . | ternary . (printf "%s:3306" .)) }}
  {{- end }}
{{- end }}
{{- $settings := dict
  "LOG_FORMAT" "json"
  "API_METRICS_PORT" "9102"
  "REDIS_HOST" (.Values.redis.external.enabled | ternary .Values.redis.external.host (printf "%s-redis" $full))
  "REDIS_PORT" (.Values.redis.external.enabled | ternary .Values.redis.external.port 6379 | int | toString)
  "REDIS_DB" (.Values.redis.external.enabled | ternary .Values.redis.external.database 0 | int | toString)
  "DB_MASTER_HOST" $primary
  "DB_NAME" $mysql.database
  "DB_USER" $mysql.user
}}
{{- if $replicas }}
  {{- $_ := set $settings "DB_SLAVE1_HOST" (first $replicas) }}
  {{- $_ := set $settings "DB_SLAVE2_HOST" (last $replicas) }}
{{- end }}
{{- if not $mysql.external.enabled }}
  {{- $_ := set $settings "DB_MEMBERS" ($mysql.replicas | int | toString) }}
{{- end }}
{{- if .Values.backup.enabled }}
  {{- $_ := set $settings "BACKUP_MAX_AGE_HOURS" (.Values.backup.maxAgeHours | int | toString) }}
{{- end }}
{{- if include "conveyor.caSecret" . }}
  {{- $_ := set $settings "DB_TLS_CA" "/etc/conveyor-tls/ca.crt" }}
{{- end }}
{{- if .Values.tracing.enabled }}
  {{- $_ := set $settings "OTEL_EXPORTER_OTLP_ENDPOINT" .Values.tracing.endpoint }}
  {{- $_ := set $settings "OTEL_TRACES_SAMPLER" "parentbased_traceidratio" }}
  {{- $_ := set $settings "OTEL_TRACES_SAMPLER_ARG" (toJson .Values.tracing.samplerRatio) }}
{{- end }}
{{- range $name, $value := .Values.settings }}
  {{- /* not toString, which would write 2097152 as 2.097152e+06 */}}
  {{- $_ := set $settings $name (kindIs "string" $value | ternary $value (toJson $value)) }}
{{- end }}
{{- toYaml $settings }}
{{- end }}

{{- define "conveyor.settingsRef" -}}
- configMapRef: {name: {{ include "conveyor.fullname" .root }}-settings}
{{- end }}

{{- define "conveyor.settingsChecksum" -}}
{{ include "conveyor.settings" . | sha256sum }}
{{- end }}

{{/* Variables from the Secret: (dict "root" $ "names" (list "DB_PASSWORD" …)). */}}
{{- define "conveyor.secretEnv" -}}
{{- $external := .root.Values.redis.external }}
{{- $keys := dict
  "DB_PASSWORD" "db-password"
  "DB_ADMIN_PASSWORD" "db-admin-password"
  "FLOWER_BASIC_AUTH" .root.Values.flower.basicAuthKey
  "MYSQL_AGENT_PASSWORD" "mysql-agent-password"
  "MYSQL_AGENT_RECOVERY_PASSWORD" "mysql-recovery-password"
  "MYSQL_PWD" "db-password"
  "REDIS_PASSWORD" ($external.enabled | ternary $external.passwordKey "redis-password")
  "REDISCLI_AUTH" "redis-password"
  "SECRET_KEY" "secret-key"
-}}
{{- $lines := list }}
{{- range $name := .names }}
  {{- with get $keys $name }}
    {{- $reference := dict "name" (include "conveyor.secretName" $.root) "key" . }}
    {{- $lines = append $lines (dict "name" $name "valueFrom" (dict "secretKeyRef" $reference)) }}
  {{- end }}
{{- end }}
{{- $lines | empty | ternary "" (toYaml $lines) }}
{{- end }}

{{- define "conveyor.kubernetesEnv" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end }}

{{/* The settings in force: the default of the code where the user sets nothing. */}}
{{- define "conveyor.setting" -}}
{{- $defaults := dict "TASK_QUEUE" "default" "API_DRAIN_SECONDS" 5 "SHUTDOWN_GRACE_SECONDS" 20 "WORKER_SOFT_SHUTDOWN_SECONDS" 25 }}
{{- index (merge (dict) .root.Values.settings $defaults) .name }}
{{- end }}
