{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* Of what is in no namespace, where two releases may meet. */}}
{{- define "nuclio.clusterName" -}}
{{ .Release.Namespace }}-{{ .Release.Name }}
{{- end }}

{{/* (list context "controller") */}}
{{- define "nuclio.selectorLabels" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: nuclio
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "nuclio.labels" -}}
{{- $context := index . 0 -}}
{{ include "nuclio.selectorLabels" . }}
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ $context.Chart.Name }}-{{ $context.Chart.Version | replace "+" "_" }}
{{- if ne (index . 1) "platform" }}
nuclio.io/app: {{ index . 1 }}
nuclio.io/class: service
{{- end }}
{{- end }}

{{/* (list context repository tag) */}}
{{- define "nuclio.image" -}}
{{- $context := index . 0 -}}
{{- with $context.Values.images.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ index . 1 }}:{{ index . 2 | default $context.Chart.AppVersion }}
{{- end }}

{{- define "nuclio.serviceAccount" -}}
{{- $context := index . 0 -}}
{{ $context.Values.rbac.serviceAccountName | default (printf "%s-%s" $context.Release.Name (index . 1)) }}
{{- end }}

{{/* Of pods that run commands of builds. Without rights, so that an account made elsewhere is not taken for it. */}}
{{- define "nuclio.builderAccount" -}}
{{- if not .Values.rbac.serviceAccountName }}{{ .Release.Name }}-builder{{ end }}
{{- end }}

{{- define "nuclio.registryUrl" -}}
{{ .Values.registry.pushPullUrl | default .Values.global.registry.url }}
{{- end }}

{{/* Of the Secret with the registry's login, "" when the chart knows of none. */}}
{{- define "nuclio.registrySecret" -}}
{{- $given := .Values.registry.secretName | default .Values.global.registry.secretName -}}
{{- if $given }}{{ $given }}
{{- else if .Values.registry.credentials.username }}{{ .Release.Name }}-registry-credentials
{{- end }}
{{- end }}

{{- define "nuclio.externalAddresses" -}}
{{- $all := .Values.dashboard.externalIPAddresses -}}
{{- with .Values.global.externalHostAddress }}{{ $all = append $all . }}{{ end -}}
{{ join "," (uniq $all) }}
{{- end }}

{{/* platform.yaml: what the values say, and what the chart knows. */}}
{{- define "nuclio.platform" -}}
{{- $image := .Values.controller.cronTriggerCronJobImage | default (include "nuclio.image" (list . "nuclio/nuctl" "")) -}}
{{- $kube := dict "cronTriggerCronJobImage" $image -}}
{{- with include "nuclio.registrySecret" . }}{{ $_ := set $kube "imagePullSecrets" . }}{{ end -}}
{{- toYaml (mergeOverwrite (dict "kind" "kube" "kube" $kube) (deepCopy .Values.platform)) }}
{{- end }}

{{/* What a pod of ours says of itself before its containers: (list context "dashboard"). */}}
{{- define "nuclio.podSettings" -}}
{{- $context := index . 0 -}}
{{- $values := index $context.Values (index . 1) -}}
serviceAccountName: {{ include "nuclio.serviceAccount" . }}
automountServiceAccountToken: true
{{- with include "nuclio.registrySecret" $context }}
imagePullSecrets:
  - name: {{ . }}
{{- end }}
securityContext:
  {{- $safe := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532
        "seccompProfile" (dict "type" "RuntimeDefault") }}
  {{- toYaml (mergeOverwrite $safe (deepCopy $values.securityContext)) | nindent 2 }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "nuclio.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The namespace that the controller looks after, "*" for all. */}}
{{- define "nuclio.namespace" -}}
{{- $all := eq .Values.rbac.crdAccessMode "cluster" -}}
{{ .Values.controller.namespace | default (ternary "*" .Release.Namespace $all) }}
{{- end }}

{{/* As the controller calls its Lease. */}}
{{- define "nuclio.lease" -}}
{{- $namespace := include "nuclio.namespace" . -}}
nuclio-controller-{{ ternary "all" $namespace (eq $namespace "*") }}
{{- end }}

{{/* "yes" when callers show by the cluster's tokens who they are. */}}
{{- define "nuclio.asksCluster" -}}
{{- if has "kubernetes" (splitList "," .Values.dashboard.auth.kind) }}yes{{ end }}
{{- end }}

{{/* Of the Secret with auth.yaml, "" when there is none. */}}
{{- define "nuclio.authSecret" -}}
{{- $values := .Values.dashboard.auth -}}
{{- if $values.secretName }}{{ $values.secretName }}
{{- else if $values.config }}{{ .Release.Name }}-dashboard-auth
{{- end }}
{{- end }}
