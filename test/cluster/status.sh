#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tells what runs of the instance, and where it is reached. Exits with 1 when it is not up.
set -euo pipefail
. "$(dirname "$0")/env.sh"

main() {
  local processes=("${CONTROL_PLANE[@]}") up=1 name
  ((CLUSTER_INSTANCE)) || processes+=("${NODE_PROCESSES[@]}")
  for name in "${processes[@]}"; do
    if alive "$name"; then
      line "$name" "process $(<"$PIDS/$name")"
    else
      up=0
      line "$name" "does not run"
    fi
  done
  if ((up)); then
    timeout 10 "$KUBECTL" get --raw /readyz >/dev/null 2>&1 || {
      up=0
      line "API server" "is not ready; its log is $LOGS/apiserver.log"
    }
  fi
  if ((up && CLUSTER_INSTANCE == 0)); then node_status || up=0; fi
  if ((up == 0)); then
    line "instance" "$CLUSTER_INSTANCE is not up; its data are in $CLUSTER_DATA"
    return 1
  fi
  line "API server" "$API"
  line "kubectl" "$KUBECTL"
  line "KUBECONFIG" "$KUBECONFIG"
}

node_status() {
  local ready addons
  ready=$(timeout 10 "$KUBECTL" get node "$NODE" \
    -o jsonpath='{.status.conditions[?(@.type=="Ready")].status}') || ready=unknown
  line "node" "$NODE, ready: $ready"
  addons=$(timeout 10 "$KUBECTL" -n kube-system get deploy \
    -o jsonpath='{range .items[*]}{.metadata.name} ({.status.readyReplicas}) {end}') || addons=unknown
  line "addons" "${addons:-none}"
  line "registry" "$REGISTRY, from inside of pods $HOST:5000"
  [[ $ready == True ]]
}

line() { printf '%-20s %s\n' "$1" "$2"; }

main
