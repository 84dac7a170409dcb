{{/* The pod of a backup or a restore: (dict "root" $ "component" … "script" … "user" … "host" … "env" …). */}}
{{- define "conveyor.backupTemplate" -}}
{{- $values := .root.Values.backup }}
{{- $address := splitList ":" .address }}
{{- $scope := dict "root" .root "component" .component "values" $values "image" .root.Values.mysql.image "user" 999
  "annotations" (dict "checksum/script" (.root.Files.Get (printf "files/backup/%s" .script) | sha256sum)) -}}
metadata: {{- include "conveyor.podMetadata" $scope | nindent 2 }}
spec:
  {{- include "conveyor.podSpec" $scope | nindent 2 }}
  restartPolicy: OnFailure
  initContainers:
    - name: wait-for-migrations
      {{- include "conveyor.container" (dict "root" .root "values" $values) | nindent 6 }}
      command: [wait-for-migrations]
      envFrom: {{- include "conveyor.settingsRef" $scope | nindent 8 }}
      env: {{- include "conveyor.secretEnv" (dict "root" .root "names" (list "DB_PASSWORD")) | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
  containers:
    - name: {{ .component }}
      {{- include "conveyor.container" $scope | nindent 6 }}
      command: [sh, /etc/conveyor/{{ .script }}]
      env:
        - {name: DB_HOST, value: {{ first $address }}}
        - {name: DB_PORT, value: {{ last $address | quote }}}
        - {name: DB_USER, value: {{ .account }}}
        - {name: DB_NAME, value: {{ .root.Values.mysql.database }}}
        {{- toYaml .env | nindent 8 }}
        {{- with .secrets }}
        {{- include "conveyor.secretEnv" (dict "root" $.root "names" .) | nindent 8 }}
        {{- end }}
        - name: MYSQL_PWD
          valueFrom: {secretKeyRef: {name: {{ include "conveyor.secretName" .root }}, key: {{ .passwordKey }}}}
      volumeMounts:
        - {name: backup, mountPath: /backup}
        - {name: scripts, mountPath: /etc/conveyor, readOnly: true}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - name: backup
      persistentVolumeClaim:
        claimName: {{ $values.persistence.existingClaim | default (printf "%s-backup" (include "conveyor.fullname" .root)) }}
    - {name: scripts, configMap: {name: {{ include "conveyor.fullname" .root }}-backup}}
    - {name: tmp, emptyDir: {}}
{{- end }}
