{{/* The pod of a backup or a restore: (dict "root" $ "component" … "steps" (list …) "script" … "account" … …). */}}
{{- define "conveyor.backupTemplate" -}}
{{- $values := .root.Values.backup }}
{{- $scripts := (.root.Files.Glob "files/backup/*.sh").AsConfig }}
{{- $scope := dict "root" .root "component" .component "values" $values "image" .root.Values.mysql.image "user" 999
  "annotations" (dict "checksum/scripts" ($scripts | sha256sum)) -}}
metadata: {{- include "conveyor.podMetadata" $scope | nindent 2 }}
spec:
  {{- include "conveyor.podSpec" $scope | nindent 2 }}
  restartPolicy: OnFailure
  initContainers:
    {{- include "conveyor.waitForMigrations" (dict "root" .root "values" $values) | nindent 4 }}
    {{- range .steps }}
    {{- include "conveyor.backupContainer" (merge (dict "name" .name "script" .script) $) | nindent 4 }}
    {{- end }}
  containers:
    {{- include "conveyor.backupContainer" (merge (dict "name" .component) .) | nindent 4 }}
  volumes:
    - name: backup
      persistentVolumeClaim:
        claimName: {{ $values.persistence.existingClaim | default (printf "%s-backup" (include "conveyor.fullname" .root)) }}
    - {name: scripts, configMap: {name: {{ include "conveyor.fullname" .root }}-backup}}
    - {name: tmp, emptyDir: {}}
    - {name: work, emptyDir: {}}
{{- end }}

{{/* One step of it, with the programs of MySQL. */}}
{{- define "conveyor.backupContainer" -}}
{{- $address := splitList ":" .address -}}
- name: {{ .name }}
  {{- include "conveyor.container" (dict "root" .root "values" .root.Values.backup "image" .root.Values.mysql.image) | nindent 2 }}
  command: [sh, /etc/conveyor/{{ .script }}]
  env:
    - {name: DB_HOST, value: {{ first $address }}}
    - {name: DB_PORT, value: {{ last $address | quote }}}
    - {name: DB_USER, value: {{ .account }}}
    - {name: DB_NAME, value: {{ .root.Values.mysql.database }}}
    {{- toYaml .env | nindent 4 }}
    {{- with .secrets }}
    {{- include "conveyor.secretEnv" (dict "root" $.root "names" .) | nindent 4 }}
    {{- end }}
    - name: MYSQL_PWD
      valueFrom: {secretKeyRef: {name: {{ include "conveyor.secretName" .root }}, key: {{ .passwordKey }}}}
  volumeMounts:
    - {name: backup, mountPath: /backup}
    - {name: scripts, mountPath: /etc/conveyor, readOnly: true}
    - {name: tmp, mountPath: /tmp}
    - {name: work, mountPath: /work}
{{- end }}
