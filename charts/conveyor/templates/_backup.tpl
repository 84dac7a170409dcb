{{/*
The pod of a backup, a restore or what lies between: (dict "root" $ "component" … "steps" (list …)). The steps run one
after the other, each (dict "name" … "image" "mysql|conveyor|rclone" "command" (list …) "env" (list …) "keys" (dict …)),
where keys are variables from the Secret; one that is "alone" has a server of its own. Only a pod with "waits" needs
the tables.
*/}}
{{- define "conveyor.backupTemplate" -}}
{{- $values := .root.Values.backup }}
{{- $scripts := (.root.Files.Glob "files/backup/*.sh").AsConfig }}
{{- $scope := dict "root" .root "component" .component "values" $values "user" 999
  "annotations" (dict "checksum/scripts" ($scripts | sha256sum)) -}}
metadata: {{- include "conveyor.podMetadata" $scope | nindent 2 }}
spec:
  {{- include "conveyor.podSpec" $scope | nindent 2 }}
  restartPolicy: OnFailure
  {{- if or .waits (gt (len .steps) 1) }}
  initContainers:
    {{- if .waits }}
    {{- include "conveyor.waitForMigrations" (dict "root" .root "values" $values) | nindent 4 }}
    {{- end }}
    {{- range initial .steps }}
    {{- include "conveyor.backupStep" (merge (dict "root" $.root) .) | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    {{- include "conveyor.backupStep" (merge (dict "root" .root) (last .steps)) | nindent 4 }}
  volumes:
    - name: backup
      persistentVolumeClaim:
        claimName: {{ $values.persistence.existingClaim | default (printf "%s-backup" (include "conveyor.fullname" .root)) }}
    - {name: scripts, configMap: {name: {{ include "conveyor.fullname" .root }}-backup}}
    - {name: tmp, emptyDir: {}}
    - {name: work, emptyDir: {}}
    {{- include "conveyor.caVolume" .root | nindent 4 }}
{{- end }}

{{- define "conveyor.backupStep" -}}
{{- $values := .root.Values }}
{{- $image := get (dict "mysql" $values.mysql.image "conveyor" $values.image "rclone" $values.backup.s3.image) .image -}}
- name: {{ .name }}
  {{- include "conveyor.container" (dict "root" .root "values" $values.backup "image" $image "resources" .resources) | nindent 2 }}
  command: {{- toJson .command | nindent 4 }}
  env:
    {{- if and (eq .image "mysql") (not .alone) }}
    # where the programs look for .my.cnf, which says how they verify the servers
    - {name: HOME, value: /etc/conveyor}
    {{- end }}
    {{- with .env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- $secret := .secret | default (include "conveyor.secretName" .root) }}
    {{- range $name, $key := .keys }}
    - name: {{ $name }}
      valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $key }}}}
    {{- end }}
  volumeMounts:
    - {name: backup, mountPath: /backup}
    - {name: scripts, mountPath: /etc/conveyor, readOnly: true}
    - {name: tmp, mountPath: /tmp}
    - {name: work, mountPath: /work}
    {{- include "conveyor.caMount" .root | nindent 4 }}
{{- end }}

{{/* Where a client connects: (dict "root" $ "address" "host:port" "prefix" "DB_"). */}}
{{- define "conveyor.backupAddress" -}}
{{- $address := splitList ":" .address -}}
- {name: {{ .prefix }}HOST, value: {{ first $address }}}
- {name: {{ .prefix }}PORT, value: {{ last $address | quote }}}
{{- end }}

{{/* Fetches from the primary what is not archived yet. */}}
{{- define "conveyor.archiveStep" -}}
{{- $address := include "conveyor.backupAddress" (dict "prefix" "MYSQL_ARCHIVE_" "address" (index (include "conveyor.settings" . | fromYaml) "DB_MASTER_HOST")) | fromYamlArray }}
{{- $tls := include "conveyor.caSecret" . | empty | ternary list (list (dict "name" "MYSQL_ARCHIVE_TLS_CA" "value" "/etc/conveyor-tls/ca.crt")) }}
name: archive
image: conveyor
command: [mysql-archive]
env: {{- concat $address $tls (list (dict "name" "MYSQL_ARCHIVE_USER" "value" "gr_recovery")
  (dict "name" "MYSQL_ARCHIVE_RETENTION_DAYS" "value" (toString .Values.backup.retentionDays))) | toYaml | nindent 2 }}
keys: {MYSQL_ARCHIVE_PASSWORD: mysql-recovery-password}
{{- end }}

{{/* Copies between the volume and the bucket: (dict "root" $ "name" … "script" … "env" …). */}}
{{- define "conveyor.s3Step" -}}
{{- $s3 := .root.Values.backup.s3 -}}
name: {{ .name }}
image: rclone
command: [sh, /etc/conveyor/{{ .script }}]
secret: {{ $s3.existingSecret }}
keys: {RCLONE_CONFIG_S3_ACCESS_KEY_ID: access-key-id, RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: secret-access-key}
env:
  - {name: HOME, value: /tmp}
  - {name: RCLONE_CONFIG_S3_TYPE, value: s3}
  - {name: RCLONE_CONFIG_S3_PROVIDER, value: {{ $s3.provider }}}
  - {name: RCLONE_CONFIG_S3_ENDPOINT, value: {{ $s3.endpoint | quote }}}
  - {name: RCLONE_CONFIG_S3_REGION, value: {{ $s3.region | quote }}}
  - {name: BUCKET, value: {{ $s3.path | quote }}}
  - {name: BUCKET_DAYS, value: {{ $s3.retentionDays | quote }}}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
