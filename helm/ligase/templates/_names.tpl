{{/* What all of it is called. */}}
{{- define "ligase.fullname" -}}
{{- $usual := ternary .Release.Name (printf "%s-ligase" .Release.Name) (contains "ligase" .Release.Name) -}}
{{- .Values.fullnameOverride | default $usual | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* What says that the chart has made it. */}}
{{- define "ligase.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: ligase
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* The labels that somebody wants besides, by the value that they stand under. */}}
{{- define "ligase.moreLabels" -}}
{{- $ours := include "ligase.labels" (index . 0) | fromYaml -}}
{{- $value := index . 1 -}}
{{- with (index (index . 0).Values $value).labels -}}
{{- range $label, $_ := . -}}
  {{- if hasKey $ours $label -}}
    {{- fail (printf "%s.labels: the chart writes %s by itself; leave it out" $value $label) -}}
  {{- end -}}
{{- end -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* The labels of pods that the chart makes; the pod of `helm test` does not have all of them. */}}
{{- define "ligase.ownPods" -}}
app.kubernetes.io/name: ligase
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: federation
{{- end -}}

{{/* The labels of the pods that ligase is in, whoever makes them. */}}
{{- define "ligase.pods" -}}
{{- if or .Values.server.enabled (eq .Values.mode "gateway") -}}
{{ include "ligase.ownPods" . }}
{{- else -}}
{{- $why := "selector: write the labels of your server's pods, which the Service and the policies are for, or set server.enabled" -}}
{{ required $why (.Values.selector | default "") | toYaml }}
{{- end -}}
{{- end -}}

{{/* The metadata of all that is called as the release is, or after it by a suffix. */}}
{{- define "ligase.metadata" -}}
{{- $suffix := index . 1 -}}
{{- with index . 0 -}}
name: {{ printf "%s%s" (include "ligase.fullname" .) $suffix | quote }}
namespace: {{ .Release.Namespace | quote }}
labels:
  {{- include "ligase.labels" . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* An image as pods name it; what does not name a tag has the chart's version. */}}
{{- define "ligase.image" -}}
{{- $image := index . 1 -}}
{{- $name := printf "%s:%s" $image.repository ($image.tag | default (index . 0).Chart.AppVersion) -}}
{{- with $image.digest -}}
  {{- $name = printf "%s@%s" $name . -}}
{{- end -}}
image: {{ $name | quote }}
{{- with $image.pullPolicy }}
imagePullPolicy: {{ . | quote }}
{{- end -}}
{{- end -}}

{{/* The Secrets that hold our certificates, in the order in which they are shown, as a list. */}}
{{- define "ligase.certificates" -}}
{{- $names := list -}}
{{- if .Values.tls.certManager.enabled -}}
  {{- range $index, $_ := include "ligase.certifiedNames" . | fromYamlArray -}}
    {{- $names = append $names (printf "%s-tls%s" (include "ligase.fullname" $) (ternary "" (printf "-%d" $index) (eq $index 0))) -}}
  {{- end -}}
{{- else -}}
  {{- $why := "tls: name a Secret under tls.existingSecret, or set tls.certManager.enabled" -}}
  {{- $names = list (required $why .Values.tls.existingSecret) -}}
{{- end -}}
{{- toYaml $names -}}
{{- end -}}

{{/* The names that cert-manager is asked for, as lists of no more than one certificate may bear. */}}
{{- define "ligase.certifiedNames" -}}
{{- prepend .Values.tls.certManager.dnsNames .Values.serverName | uniq | chunk 100 | toYaml -}}
{{- end -}}

{{/* The Secret that dialback keys are made from. */}}
{{- define "ligase.dialbackSecret" -}}
{{- .Values.dialbackSecret.existingSecret | default (printf "%s-dialback" (include "ligase.fullname" .)) -}}
{{- end -}}
