{{/*
Most templates here take a scope: (dict "root" $ "component" "api" "values" .Values.api), for a pool of
workers also "pool". A name longer than what Kubernetes lets others append to is cut.
*/}}

{{- define "conveyor.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full | trunc 36 | trimSuffix "-" }}
{{- end }}

{{- define "conveyor.name" -}}
{{- $suffix := hasKey . "pool" | ternary (printf "%s-%s" .component .pool) .component }}
{{- printf "%s-%s" (include "conveyor.fullname" .root) $suffix }}
{{- end }}

{{/* Without anything that changes with a release: selectors and claims can never be changed. */}}
{{- define "conveyor.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- with .pool }}
conveyor/pool: {{ . }}
{{- end }}
{{- end }}

{{- define "conveyor.labels" -}}
{{ include "conveyor.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "conveyor.metadata" -}}
name: {{ include "conveyor.name" . }}
labels: {{- include "conveyor.labels" . | nindent 2 }}
{{- end }}

{{/* A Job cannot be changed, so one that would differ gets another name. */}}
{{- define "conveyor.jobName" -}}
{{ include "conveyor.name" .scope }}-{{ .template | sha256sum | trunc 8 }}
{{- end }}

{{- define "conveyor.secretName" -}}
{{- .Values.credentials.existingSecret | default (printf "%s-credentials" (include "conveyor.fullname" .)) }}
{{- end }}

{{- define "conveyor.image" -}}
{{- $global := (.root.Values.global).imageRegistry }}
{{- $repository := list (.image.registry | default $global) .image.repository | compact | join "/" }}
{{- $tagged := printf "%s:%s" $repository (.image.tag | default .root.Chart.AppVersion) }}
{{- list $tagged .image.digest | compact | join "@" }}
{{- end }}

{{- define "conveyor.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata: {{- include "conveyor.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{- define "conveyor.podDisruptionBudget" -}}
{{- if .root.Values.podDisruptionBudget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "conveyor.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  {{- /* a MySQL member that is still copying data is not ready either, and not to be thrown out */}}
  unhealthyPodEvictionPolicy: {{ eq .component "mysql" | ternary "IfHealthyBudget" "AlwaysAllow" }}
  selector:
    matchLabels: {{- include "conveyor.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* A size as MySQL, Redis or Kubernetes writes it, in MiB; 0 where it is smaller or not known. */}}
{{- define "conveyor.mebibytes" -}}
{{- $unit := regexFind "[a-zA-Z]+$" . | lower | trunc 1 }}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get (dict "m" 1 "g" 1024 "t" 1048576) $unit | default 0) }}
{{- end }}
