{{- define "conveyor.podMetadata" -}}
{{- with merge (dict) (.annotations | default dict) (.values.podAnnotations | default dict) -}}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
labels:
  {{- include "conveyor.selectorLabels" . | nindent 2 }}
  {{- with merge (dict) (.values.podLabels | default dict) .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What every pod has in common; .user is the numeric id of the image's user. */}}
{{- define "conveyor.podSpec" -}}
{{- $user := .user | default 10001 }}
{{- $scheduling := mergeOverwrite (deepCopy .root.Values.scheduling) (.values.scheduling | default dict) -}}
serviceAccountName: {{ include "conveyor.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $user }}
  runAsGroup: {{ $user }}
  fsGroup: {{ $user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
  {{- with .sysctls }}
  sysctls: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- with concat ((.root.Values.global).imagePullSecrets | default list) .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $scheduling.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $scheduling.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if hasKey . "spread" }}
topologySpreadConstraints:
  {{- range $scheduling.topologySpread.topologyKeys }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $scheduling.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels: {{- include "conveyor.selectorLabels" $ | nindent 8 }}
    {{- with $.spread.matchLabelKeys }}
    matchLabelKeys: {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "conveyor.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: {{ .root.Values.readOnlyRootFilesystem }}
  capabilities: {drop: [ALL]}
{{- end }}

{{/* A container of any image; (dict "root" $ "image" … "resources" …). */}}
{{- define "conveyor.container" -}}
{{- $image := .image | default .root.Values.image -}}
image: {{ include "conveyor.image" (dict "root" .root "image" $image) }}
imagePullPolicy: {{ $image.pullPolicy }}
{{ include "conveyor.containerSecurity" . }}
resources: {{- toYaml (.resources | default .values.resources) | nindent 2 }}
{{- end }}

{{- define "conveyor.waitForMigrations" -}}
- name: wait-for-migrations
  {{- include "conveyor.container" . | nindent 2 }}
  command: [wait-for-migrations]
  envFrom: {{- include "conveyor.settingsRef" . | nindent 4 }}
  env: {{- include "conveyor.secretEnv" (dict "root" .root "names" (list "DB_PASSWORD")) | nindent 4 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- include "conveyor.caMount" .root | nindent 4 }}
{{- end }}

{{/* The token for one container of a pod, as the kubelet would mount it into all of them. */}}
{{- define "conveyor.tokenVolume" -}}
- name: token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}

{{- define "conveyor.tokenMount" -}}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}

{{/* Nothing in it may change with a release: Kubernetes refuses an upgrade of a StatefulSet whose claims differ. */}}
{{- define "conveyor.claimTemplate" -}}
metadata:
  name: data
  labels: {{- include "conveyor.selectorLabels" . | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources: {requests: {storage: {{ .values.persistence.size }}}}
{{- end }}
