{{/*
What a pod needs that ligase is in. Charts that have this one as a dependency include these with
`.Subcharts.ligase` for the context, as the README shows.
*/}}

{{/* The container: a native sidecar, an item of initContainers before all others. */}}
{{- define "ligase.sidecar" -}}
- name: ligase
  {{- include "ligase.image" (list . .Values.image) | nindent 2 }}
  {{- if and .Values.nativeSidecar (eq .Values.mode "sidecar") }}
  restartPolicy: Always
  {{- end }}
  args: [run, --config, /etc/ligase/config/ligase.yaml]
  ports:
    - {name: ligase-s2s, containerPort: 7269}
    - {name: ligase-admin, containerPort: 7290}
    {{- if eq .Values.mode "gateway" }}
    - {name: ligase-backend, containerPort: 7270}
    {{- if eq .Values.capture "dns" }}
    - {name: ligase-dns, containerPort: 7253, protocol: UDP}
    - {name: ligase-dns-tcp, containerPort: 7253}
    {{- end }}
    {{- end }}
  startupProbe:
    httpGet: {path: /ready, port: ligase-admin}
    periodSeconds: 1
    failureThreshold: 120
  readinessProbe:
    httpGet: {path: /ready, port: ligase-admin}
    periodSeconds: 5
  livenessProbe:
    httpGet: {path: /live, port: ligase-admin}
    initialDelaySeconds: 10
  terminationMessagePolicy: FallbackToLogsOnError
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 7269
    runAsGroup: 7269
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL]}
    seccompProfile: {type: RuntimeDefault}
  volumeMounts:
    - {name: ligase-config, mountPath: /etc/ligase/config}
    - {name: ligase-tls, mountPath: /etc/ligase/tls}
    {{- range $index, $_ := include "ligase.certificates" . | fromYamlArray | rest }}
    - {name: ligase-tls-{{ add1 $index }}, mountPath: /etc/ligase/tls-{{ add1 $index }}}
    {{- end }}
    - {name: ligase-dialback, mountPath: /etc/ligase/dialback}
    {{- if .Values.localCA.existingSecret }}
    - {name: ligase-ca, mountPath: /etc/ligase/ca}
    {{- end }}
    - {name: ligase-state, mountPath: /var/lib/ligase}
{{- end -}}

{{/* With `capture: redirect`, the init container that puts the rules in place, before the sidecar. */}}
{{- define "ligase.captureContainer" -}}
{{- if eq .Values.capture "redirect" -}}
- name: ligase-capture
  {{- include "ligase.image" (list . .Values.captureImage) | nindent 2 }}
  args: [capture, apply, --config, /etc/ligase/config/ligase.yaml]
  securityContext:
    runAsNonRoot: false
    runAsUser: 0
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL], add: [NET_ADMIN]}
  volumeMounts:
    - {name: ligase-config, mountPath: /etc/ligase/config}
{{- end -}}
{{- end -}}

{{/* The volumes of both. Modes are decimal, for YAML's versions differ in what 0444 is: 292. */}}
{{- define "ligase.volumes" -}}
- name: ligase-config
  configMap: {name: {{ include "ligase.fullname" . | quote }}}
{{- range $index, $name := include "ligase.certificates" . | fromYamlArray }}
- name: ligase-tls{{ if $index }}-{{ $index }}{{ end }}
  secret: {secretName: {{ $name | quote }}, defaultMode: 292}
{{- end }}
- name: ligase-dialback
  secret: {secretName: {{ include "ligase.dialbackSecret" . | quote }}, defaultMode: 292, optional: true}
{{- with .Values.localCA.existingSecret }}
- name: ligase-ca
  secret: {secretName: {{ . | quote }}, defaultMode: 292}
{{- end }}
- name: ligase-state
  emptyDir: {sizeLimit: 1Mi}
{{- end -}}

{{/* With `capture: dns`, what the pod has to say of itself so that its resolver is ligase. */}}
{{- define "ligase.podSpec" -}}
{{- if and (eq .Values.capture "dns") (eq .Values.mode "sidecar") -}}
dnsPolicy: None
dnsConfig:
  {{- include "ligase.dnsConfig" (list . "127.0.0.1") | nindent 2 }}
securityContext:
  # Port 53 without a capability; one of those that Kubernetes calls safe.
  sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "53"}]
{{- end -}}
{{- end -}}

{{/* A resolver in place of the cluster's, with the names of the cluster as they were. */}}
{{- define "ligase.dnsConfig" -}}
{{- $nameserver := index . 1 -}}
{{- with index . 0 -}}
nameservers: [{{ $nameserver | quote }}]
searches:
  - {{ printf "%s.svc.%s" .Release.Namespace .Values.clusterDomain | quote }}
  - {{ printf "svc.%s" .Values.clusterDomain | quote }}
  - {{ .Values.clusterDomain | quote }}
options: [{name: ndots, value: "5"}]
{{- end -}}
{{- end -}}

{{/*
A whole pod: what `pod` says (a specification as Kubernetes writes it), with ligase in it. What both
say is of both; what is already there is kept.
*/}}
{{- define "ligase.inject" -}}
{{- $ligase := .ligase -}}
{{- $pod := deepCopy .pod -}}
{{- $ours := include "ligase.podSpec" $ligase | fromYaml -}}
{{- if and $ours (or (hasKey $pod "dnsPolicy") (hasKey $pod "dnsConfig")) -}}
  {{- fail "capture: with `dns`, the pod's resolver is ligase; leave dnsPolicy and dnsConfig out of your pod, or choose another capture" -}}
{{- end -}}
{{- include "ligase.conflicts" . -}}
{{- $sysctls := concat (dig "securityContext" "sysctls" list $pod) (dig "securityContext" "sysctls" list $ours) -}}
{{- $pod = mustMergeOverwrite $pod $ours -}}
{{- if $sysctls -}}
  {{- $_ := set $pod.securityContext "sysctls" $sysctls -}}
{{- end -}}
{{- $capture := include "ligase.captureContainer" $ligase | fromYamlArray -}}
{{- $sidecar := include "ligase.sidecar" $ligase | fromYamlArray -}}
{{- $init := dig "initContainers" list $pod -}}
{{- if $ligase.Values.nativeSidecar -}}
  {{- $_ := set $pod "initContainers" (concat $capture $sidecar $init) -}}
{{- else -}}
  {{- $_ := set $pod "containers" (concat $pod.containers $sidecar) -}}
  {{- if or $capture $init -}}
    {{- $_ := set $pod "initContainers" (concat $capture $init) -}}
  {{- end -}}
{{- end -}}
{{- $volumes := include "ligase.volumes" $ligase | fromYamlArray -}}
{{- $_ := set $pod "volumes" (concat (dig "volumes" list $pod) $volumes) -}}
{{- toYaml $pod -}}
{{- end -}}

{{/* How pods of ours are spread, with our labels filled in. */}}
{{- define "ligase.spread" -}}
{{- $labels := dict "matchLabels" (include "ligase.ownPods" . | fromYaml) -}}
{{- $spread := list -}}
{{- range .Values.topologySpreadConstraints -}}
  {{- $spread = append $spread (merge (dict) . (dict "labelSelector" $labels)) -}}
{{- end -}}
{{- toYaml $spread -}}
{{- end -}}

{{/* The metadata of pods of ours. */}}
{{- define "ligase.podMetadata" -}}
labels:
  {{- include "ligase.ownPods" . | nindent 2 }}
annotations:
  ligase/restart: {{ include "ligase.restartKeys" . | quote }}
  {{- if hasKey (.Values.podAnnotations | default dict) "ligase/restart" }}
    {{- fail "podAnnotations: the chart writes ligase/restart by itself; leave it out" }}
  {{- end }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Seconds that pods of ours may take to end: the drain, and as many again as a server needs. */}}
{{- define "ligase.grace" -}}
{{- add (dig "drain_seconds" 10 .Values.config) 20 -}}
{{- end -}}
