#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Brings up a Kubernetes node on a bare Debian 12 machine, or, with CLUSTER_INSTANCE from 1 on, a control plane without
# a node. What runs already is left alone. README.md tells the settings.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$HERE/control-plane.sh"
. "$HERE/node.sh"

main() {
  [[ $CLUSTER_INSTANCE =~ ^[1-9]?[0-9]$ ]] || fail "CLUSTER_INSTANCE must be 0 to 99, is \"$CLUSTER_INSTANCE\""
  has python3 curl openssl flock setsid awk
  ((CLUSTER_INSTANCE)) || check_node
  lock
  mkdir -p "$BIN" "$PKI" "$CONF" "$LOGS" "$PIDS"
  local programs=(kube) addon
  if ((CLUSTER_INSTANCE == 0)); then
    for addon in $CLUSTER_ADDONS; do
      case $addon in
        dns) ;; # is built with kube
        metrics) programs+=(metrics-server) ;;
        ingress) programs+=(ingress) ;;
        *) fail "there is no addon \"$addon\", but dns, metrics and ingress" ;;
      esac
    done
  fi
  "$HERE/build.sh" "${programs[@]}"
  "$HERE/pki.sh"
  say "programs and certificates are there"
  ((CLUSTER_INSTANCE)) || set_up_network
  start_control_plane
  if ((CLUSTER_INSTANCE == 0)); then
    start_registry
    start_containerd
    push_images
    start_node
    start_addons
  fi
  say "up: export KUBECONFIG=$KUBECONFIG PATH=$BIN:\$PATH"
}

has() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || fail "there is no $command on this machine"
  done
}

main
