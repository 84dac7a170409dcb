{{/* Certificates of the MySQL servers: a Secret with ca.crt, tls.crt and tls.key, as cert-manager writes it too. */}}

{{/* The Secret of the members' own, unless it is switched off. */}}
{{- define "conveyor.memberTlsSecret" -}}
{{- $mysql := .Values.mysql }}
{{- if and $mysql.tls.enabled (not $mysql.external.enabled) }}
  {{- $mysql.tls.existingSecret | default (printf "%s-mysql-tls" (include "conveyor.fullname" .)) }}
{{- end }}
{{- end }}

{{/* The Secret whose ca.crt clients verify the servers with; empty: they do not. */}}
{{- define "conveyor.caSecret" -}}
{{- if .Values.mysql.external.enabled }}
  {{- .Values.mysql.external.tls.existingSecret }}
{{- else if .Values.mysql.tls.verify }}
  {{- include "conveyor.memberTlsSecret" . }}
{{- end }}
{{- end }}

{{/* Something where the credentials Job makes and renews the certificates. */}}
{{- define "conveyor.madeTlsSecret" -}}
{{- if not .Values.mysql.tls.existingSecret }}
  {{- include "conveyor.memberTlsSecret" . }}
{{- end }}
{{- end }}

{{/* Something where the credentials Job has anything to do. */}}
{{- define "conveyor.makesSecrets" -}}
{{- list (empty .Values.credentials.existingSecret | ternary "passwords" "") (include "conveyor.madeTlsSecret" .) | compact | join "," }}
{{- end }}

{{- define "conveyor.tlsNames" -}}
{{- $full := include "conveyor.fullname" . }}
{{- $names := list "localhost" "127.0.0.1" (printf "*.%s" (include "conveyor.mysqlDomain" .)) }}
{{- range $role := list "primary" "replicas" }}
  {{- $service := printf "%s-mysql-%s" $full $role }}
  {{- range $suffix := list "" (printf ".%s" $.Release.Namespace) (printf ".%s.svc" $.Release.Namespace) (printf ".%s.svc.%s" $.Release.Namespace $.Values.clusterDomain) }}
    {{- $names = append $names (printf "%s%s" $service $suffix) }}
  {{- end }}
{{- end }}
{{- join "," $names }}
{{- end }}

{{- define "conveyor.caVolume" -}}
{{- with include "conveyor.caSecret" . }}
- {name: mysql-ca, secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}}
{{- end }}
{{- end }}

{{/* A folder, never one file of it: only so does the kubelet bring a renewed one. */}}
{{- define "conveyor.caMount" -}}
{{- if include "conveyor.caSecret" . }}
- {name: mysql-ca, mountPath: /etc/conveyor-tls, readOnly: true}
{{- end }}
{{- end }}

{{- define "conveyor.memberTlsMount" -}}
{{- if include "conveyor.memberTlsSecret" .root }}
- {name: {{ .volume }}, mountPath: /etc/conveyor-tls, readOnly: true}
{{- end }}
{{- end }}

{{/* The agent gets no key; nobody gets the key of the authority, which is in the Secret too. */}}
{{- define "conveyor.memberTlsVolumes" -}}
{{- with include "conveyor.memberTlsSecret" . }}
- name: tls
  secret:
    secretName: {{ . }}
    items: [{key: ca.crt, path: ca.crt}, {key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
- name: tls-public
  secret:
    secretName: {{ . }}
    items: [{key: ca.crt, path: ca.crt}, {key: tls.crt, path: tls.crt}]
{{- end }}
{{- end }}

{{- define "conveyor.agentTlsEnv" -}}
{{- if include "conveyor.caSecret" . }}
- {name: MYSQL_AGENT_TLS_CA, value: /etc/conveyor-tls/ca.crt}
{{- end }}
{{- if include "conveyor.memberTlsSecret" . }}
- {name: MYSQL_AGENT_TLS_CERTIFICATE, value: /etc/conveyor-tls/tls.crt}
{{- end }}
{{- end }}
