{{/*
What in a pod leaves no room for ligase. The cluster would take some of it, and keep one of two
without a word; `ligase inject` refuses the same.
*/}}
{{- define "ligase.conflicts" -}}
{{- $values := .ligase.Values -}}
{{- $pod := .pod -}}
{{- $sidecar := include "ligase.sidecar" .ligase | fromYamlArray | first -}}
{{- $volumes := list -}}
{{- range include "ligase.volumes" .ligase | fromYamlArray -}}
  {{- $volumes = append $volumes .name -}}
{{- end -}}
{{- $ports := ternary (list "53") list (eq $values.capture "dns") -}}
{{- range $sidecar.ports -}}
  {{- $ports = concat $ports (list .name (toString .containerPort)) -}}
{{- end -}}

{{- range concat ($pod.containers | default list) ($pod.initContainers | default list) -}}
  {{- if has .name (list "ligase" "ligase-capture") -}}
    {{- fail (printf "your pod: a container is called %s already; call yours otherwise" .name) -}}
  {{- end -}}
  {{- range .ports -}}
    {{- $number := int .containerPort | toString -}}
    {{- if or (has .name $ports) (has $number $ports) -}}
      {{- fail (printf "your pod: containerPort %s is taken, by its number or its name, and ligase needs it" $number) -}}
    {{- end -}}
  {{- end -}}
  {{- include "ligase.captured" (list $values .) -}}
{{- end -}}
{{- include "ligase.captured" (list $values $pod) -}}

{{- range $pod.volumes -}}
  {{- if has .name $volumes -}}
    {{- fail (printf "your pod: a volume is called %s already; call yours otherwise" .name) -}}
  {{- end -}}
{{- end -}}
{{- if and $pod.hostNetwork (ne $values.capture "explicit") -}}
  {{- fail "hostNetwork: what is captured would be the whole machine's; leave it out of your pod, or write `capture: explicit`" -}}
{{- end -}}
{{- if eq $values.capture "dns" -}}
  {{- range ($pod.securityContext | default dict).sysctls -}}
    {{- if eq .name "net.ipv4.ip_unprivileged_port_start" -}}
      {{- fail "your pod: ligase sets the sysctl net.ipv4.ip_unprivileged_port_start; leave it out of yours" -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* The rules let through whatever is sent by the user that ligase is: nobody else may be that one. */}}
{{- define "ligase.captured" -}}
{{- $values := index . 0 -}}
{{- $context := (index . 1).securityContext | default dict -}}
{{- if and (eq $values.capture "redirect") (eq (int $context.runAsUser) 7269) -}}
  {{- fail "your pod: runAsUser 7269 is who ligase is, and what that user sends is not redirected; choose another" -}}
{{- end -}}
{{- end -}}
