{{/* An address with a port: `IP` or `IP:PORT`, either kind of address, and the port if it has none. */}}
{{- define "ligase.address" -}}
{{- $address := index . 0 -}}
{{- $port := index . 1 -}}
{{- if or (contains "]:" $address) (regexMatch "^[^:]+:[0-9]+$" $address) -}}
{{ $address }}
{{- else if contains ":" $address -}}
[{{ trimAll "[]" $address }}]:{{ $port }}
{{- else -}}
{{ $address }}:{{ $port }}
{{- end -}}
{{- end -}}

{{/* The cluster's own DNS, with its port. */}}
{{- define "ligase.clusterDNS" -}}
{{- $address := .Values.clusterDNS -}}
{{- range list "kube-dns" "coredns" -}}
  {{- if not $address -}}
    {{- with lookup "v1" "Service" "kube-system" . -}}
      {{- $address = .spec.clusterIP -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $why := "clusterDNS: write the address of the cluster's DNS, for it cannot be looked up from here: kubectl -n kube-system get service kube-dns" -}}
{{- include "ligase.address" (list (required $why $address) 53) -}}
{{- end -}}

{{/* Hosted domains as ligase.yaml has them: few as they are, many in a key of the ConfigMap. */}}
{{- define "ligase.hosts" -}}
{{- $hosts := index . 0 -}}
{{- $key := index . 1 -}}
{{- if and (kindIs "slice" $hosts) (gt (len $hosts) 50) -}}
hosts: {file: {{ printf "/etc/ligase/config/%s" $key | quote }}}
{{- else -}}
{{ dict "hosts" $hosts | toYaml }}
{{- end -}}
{{- end -}}

{{/* All hosted domains, as far as the values name them, as a list. */}}
{{- define "ligase.domains" -}}
{{- $domains := ternary .Values.hosts list (kindIs "slice" .Values.hosts) -}}
{{- range .Values.backends -}}
  {{- $domains = concat $domains .hosts -}}
{{- end -}}
{{- toYaml $domains -}}
{{- end -}}

{{/* ligase.yaml, with what `config` says over it. */}}
{{- define "ligase.config" -}}
{{- $own := list "server_name" "hosts" "backends" "capture" "redirect" "certificates" "dialback_secret" "proxy_protocol" -}}
{{- range $key, $_ := .Values.config -}}
  {{- if has $key $own -}}
    {{- fail (printf "config.%s: the chart writes this key from a value of its own; see values.yaml" $key) -}}
  {{- end -}}
{{- end -}}
{{- $ours := include "ligase.ownConfig" . | fromYaml -}}
{{- with $ours.Error -}}
  {{- fail (printf "some value makes ligase.yaml no YAML: %s" .) -}}
{{- end -}}
{{- mustMergeOverwrite $ours (deepCopy .Values.config) | toYaml -}}
{{- end -}}

{{/* ligase.yaml, as the values have it. */}}
{{- define "ligase.ownConfig" -}}
{{- $why := "serverName: write the name that peers know your server by, and hosts, tls and selector besides; README.md has the least that must be written" -}}
server_name: {{ required $why .Values.serverName | quote }}
certificates:
  {{- range $index, $_ := include "ligase.certificates" . | fromYamlArray }}
  {{- $folder := printf "/etc/ligase/tls%s" (ternary "" (printf "-%d" $index) (eq $index 0)) }}
  - {chain: {{ printf "%s/tls.crt" $folder | quote }}, key: {{ printf "%s/tls.key" $folder | quote }}}
  {{- end }}
dialback_secret: {file: /etc/ligase/dialback/secret}
capture: {{ .Values.capture | quote }}
public: {starttls: 5269, direct_tls: 5270}
{{- with .Values.proxyProtocol }}
{{- if .trusted }}
proxy_protocol:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{ include (printf "ligase.%sConfig" .Values.mode) . }}
{{- end -}}

{{/* Beside one server. */}}
{{- define "ligase.sidecarConfig" -}}
{{- if .Values.backends -}}
  {{- fail "backends: a sidecar has one server, and `hosts` names its domains; write `mode: gateway` for many" -}}
{{- end -}}
{{- $why := "hosts: name the domains that your server hosts, or write `auto`" -}}
{{ include "ligase.hosts" (list (required $why (.Values.hosts | default "")) "hosts") }}
listen:
  federation: "[::]:7269"
  admin: "[::]:7290"
  {{- if eq .Values.capture "dns" }}
  backend: 127.0.0.1:7270
  dns: 127.0.0.1:53
  {{- else if eq .Values.capture "redirect" }}
  backend: ["127.0.0.1:7270", "[::1]:7270"]
  dns: ["127.0.0.1:7253", "[::1]:7253"]
  {{- else }}
  backend: 127.0.0.1:7270
  dns: null
  {{- end }}
{{- if eq .Values.capture "redirect" }}
redirect: {uid: 7269}
{{- end }}
{{- with include "ligase.localCA" . }}
backend:
  {{- . | nindent 2 }}
{{- end }}
{{- if eq .Values.capture "dns" }}
{{- $cluster := include "ligase.clusterDNS" . }}
resolver:
  servers:
    {{- range .Values.resolvers | default (list $cluster) }}
    - {{ include "ligase.address" (list . 53) | quote }}
    {{- end }}
  {{- if .Values.resolvers }}
  forward: [{{ $cluster | quote }}]
  {{- end }}
{{- else }}
{{- include "ligase.resolvers" . }}
{{- end }}
{{- end -}}

{{/* In front of many servers. */}}
{{- define "ligase.gatewayConfig" -}}
{{- if eq .Values.capture "redirect" -}}
  {{- fail "capture: `redirect` is for sidecars, because it changes the network of one pod; a gateway has `dns` or `explicit`" -}}
{{- end -}}
{{- if .Values.server.enabled -}}
  {{- fail "server.enabled: a gateway stands in front of servers that others make; write `mode: sidecar`, or name them under backends" -}}
{{- end -}}
{{- if .Values.hosts -}}
  {{- fail "hosts: a gateway has to know whose domain is whose; write the hosts of each under backends" -}}
{{- end -}}
{{- $why := "backends: name your servers, as {name, address, hosts}" -}}
{{- $seen := dict -}}
backends:
  {{- range required $why (.Values.backends | default "") }}
  {{- if hasKey $seen .name -}}
    {{- fail (printf "backends: two are called %s; give each a name of its own" .name) -}}
  {{- end -}}
  {{- $_ := set $seen .name true }}
  - name: {{ .name | quote }}
    address: {{ .address | quote }}
    {{- include "ligase.hosts" (list .hosts (printf "hosts-%s" .name)) | nindent 4 }}
  {{- end }}
{{- $why := "gateway.networks: name the networks that your servers come from; nobody else may speak for them" }}
{{- $networks := required $why (.Values.gateway.networks | default "") }}
backend:
  networks: {{ toJson $networks }}
  {{- with include "ligase.localCA" . }}
  {{- . | nindent 2 }}
  {{- end }}
listen:
  federation: "[::]:7269"
  admin: "[::]:7290"
  backend: "[::]:7270"
  dns: {{ ternary "\"[::]:7253\"" "null" (eq .Values.capture "dns") }}
{{- if eq .Values.capture "dns" }}
steer: {to: {{ include "ligase.address" (list (include "ligase.gatewayAddress" .) 7270) | quote }}}
{{- end }}
{{- include "ligase.resolvers" . }}
{{- end -}}

{{/* The authority that the server trusts, where it is not of our own making. */}}
{{- define "ligase.localCA" -}}
{{- if .Values.localCA.existingSecret -}}
local_ca: {certificate: /etc/ligase/ca/tls.crt, key: /etc/ligase/ca/tls.key}
{{- end -}}
{{- end -}}

{{/*
Whom we ask about peers, where the pod's own DNS is left as it is. The names of servers and all else
that they look up are still asked of the cluster, which alone knows its own.
*/}}
{{- define "ligase.resolvers" -}}
{{- if .Values.resolvers }}
resolver:
  servers:
    {{- range .Values.resolvers }}
    - {{ include "ligase.address" (list . 53) | quote }}
    {{- end }}
  {{- with .Values.clusterDNS }}
  forward: [{{ include "ligase.address" (list . 53) | quote }}]
  {{- else }}
  forward: system
  {{- end }}
{{- end }}
{{- end -}}

{{/* The address that servers ask, and that they are led to. */}}
{{- define "ligase.gatewayAddress" -}}
{{- required "gateway.clusterIP: write an unused address of the cluster's Service network, which the pods of your servers will name as their DNS" .Values.gateway.clusterIP -}}
{{- end -}}

{{/* What changes only when ligase starts again, so that pods of ours are made anew for it. */}}
{{- define "ligase.restartKeys" -}}
{{- $config := include "ligase.config" . | fromYaml -}}
{{- $taken := pick $config "listen" "capture" "redirect" "steer" "limits" -}}
{{- range list "backend.networks" "backend.local_ca" "resolver.servers" "resolver.forward" "log.format" -}}
  {{- $path := splitList "." . -}}
  {{- $_ := set $taken . (dig (first $path) (last $path) "" $config) -}}
{{- end -}}
{{- printf "%s %d" (toJson $taken) (int .Values.dialbackSecret.generation) | sha256sum -}}
{{- end -}}
