#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ends what up.sh started (by its pid files) and the pods; takes away their mounts, devices and rules, and the state.
# The built programs stay. --keep-state keeps certificates, etcd and images, too. With names of processes (etcd,
# apiserver, controller-manager, scheduler, ...) ends only these; up.sh starts them again.
set -euo pipefail
. "$(dirname "$0")/env.sh"

main() {
  lock
  case ${1-} in
    "" | --keep-state) take_down "${1-}" ;;
    *) stop 3 "$@" ;;
  esac
}

take_down() {
  if ((CLUSTER_INSTANCE == 0)); then
    stop 5 proxy kubelet scheduler controller-manager
    end_pods
    stop 3 containerd "registry-$HOST" registry-127.0.0.1
  fi
  stop 5 scheduler controller-manager apiserver
  stop 3 etcd
  ((CLUSTER_INSTANCE)) || ((EUID)) || undo_node
  [[ $1 == --keep-state ]] || rm -rf "$CLUSTER_DATA"
  say "the cluster is down"
}

# The shims outlive containerd; they are known by its socket in their command line.
end_pods() {
  local file line pid children
  for file in /proc/[0-9]*/cmdline; do
    line=$({ tr '\0' ' ' <"$file"; } 2>/dev/null) || continue
    [[ $line == *containerd-shim*"$RUN/containerd.sock"* ]] || continue
    pid=${file//[^0-9]/}
    read -ra children <"/proc/$pid/task/$pid/children" || true
    kill -KILL "${children[@]}" "$pid" 2>/dev/null || true
  done
}

undo_node() {
  local name
  awk -v data="$CLUSTER_DATA/" -v run="$RUN/" 'index($5, data) == 1 || index($5, run) == 1 {print $5}' \
    /proc/self/mountinfo | sort -r | while read -r name; do umount -l "$name" 2>/dev/null || true; done
  for name in /run/netns/cni-*; do
    [[ -e $name ]] || continue
    umount -l "$name" 2>/dev/null || true
    rm -f "$name"
  done
  for name in /sys/fs/cgroup/*/kubepods /sys/fs/cgroup/kubepods; do
    [[ ! -d $name ]] || find "$name" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  for name in nuclio1 nuclio0; do ip link del "$name" 2>/dev/null || true; done
  for name in iptables ip6tables; do
    command -v "$name-save" >/dev/null || continue
    { "$name-save" 2>/dev/null | grep -vE 'KUBE-|CNI-|"name: \\"pods\\"' | "$name-restore" 2>/dev/null; } || true
  done
  [[ ! -e $RUN/ipv6-was-on ]] || echo 0 >"$IPV6_OFF"
  rm -rf "$RUN"
}

main "$@"
