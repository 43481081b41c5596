#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh kube|metrics-server|helm|ingress...: builds these from Go modules into $CLUSTER_CACHE/bin; CoreDNS comes with
# kube. What is there is skipped while its stamp (a hash of its module's folder, this script and Go's version) is
# unchanged. All but ingress are of one module, so that the packages that they share are compiled once.
set -euo pipefail
. "$(dirname "$0")/env.sh"
mkdir -p "$BIN"
command -v go >/dev/null ||
  fail "there is no go; Kubernetes needs Go 1.24 or newer, and Debian 12 has 1.19: unpack one of https://go.dev/dl" \
    "and put its bin folder into PATH"
[[ $(go env GOVERSION) =~ ^go1\.(2[4-9]|[3-9][0-9]) || $(go env GOTOOLCHAIN) == auto* ]] ||
  fail "$(go env GOVERSION) is too old: Kubernetes needs Go 1.24 or newer, from https://go.dev/dl"

# What a user set for other builds (-race, -mod=vendor) is not for this one.
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -mod=mod" GOWORK=off
# As many compilers at a time as there are cores, of one thread each, which rarely collect garbage.
export GOGC=400 GOMAXPROCS=1

is_built() {
  local stamp=$1 program
  for program in "${@:2}"; do
    [[ -x $BIN/$program && $(cat "$BIN/$program.stamp" 2>/dev/null) == "$stamp" ]] || return 1
  done
}

for target in "$@"; do
  folder=kube programs=("$target")
  case $target in
    kube) programs+=(coredns) packages=(. ./coredns) ;;
    metrics-server) packages=(./metrics-server) ;;
    helm) packages=(helm.sh/helm/v3/cmd/helm) ;;
    ingress) folder=ingress packages=(k8s.io/ingress-nginx/cmd/nginx) ;;
    *) fail "there is no \"$target\" to build, but kube, metrics-server, helm and ingress" ;;
  esac
  stamp=$({ go version && cat "$0" && find "$HERE/$folder" -type f -print0 | sort -z | xargs -0 cat; } |
    sha256sum | cut -c1-16)
  ! is_built "$stamp" "${programs[@]}" || continue
  # Who wants what is built already need not wait for what somebody else builds. Two builds of one module at a time would
  # compile the same packages twice.
  exec 8>"$CLUSTER_CACHE/lock-build-$folder"
  flock -w 1800 8 || fail "another build has held $CLUSTER_CACHE/lock-build-$folder for half an hour"
  ! is_built "$stamp" "${programs[@]}" || continue
  begin=$SECONDS
  say "building ${programs[*]}; the log is $CLUSTER_CACHE/build-$target.log"
  # In a copy, since -mod=mod may write go.sum.
  work=$CLUSTER_CACHE/src/$folder
  new=$CLUSTER_CACHE/new/$folder
  rm -rf "$work" "$new"
  mkdir -p "$work" "$new"
  cp -r "$HERE/$folder/." "$work/"
  # Neither debug information nor inlining: that is a third less work, and tests notice no difference.
  (cd "$work" && timeout 2700 go build -p "$(nproc)" -trimpath -gcflags='all=-dwarf=false -l' \
    -ldflags "-s -w $(<LDFLAGS)" -o "$new/" "${packages[@]}") \
    >"$CLUSTER_CACHE/build-$target.log" 2>&1 || {
    tail -n 20 "$CLUSTER_CACHE/build-$target.log" >&2
    fail "building ${programs[*]}"
  }
  [[ $target != ingress ]] || mv "$new/nginx" "$new/ingress"
  for program in "${programs[@]}"; do
    mv "$new/$program" "$BIN/$program"
    echo "$stamp" >"$BIN/$program.stamp"
  done
  say "built ${programs[*]} in $((SECONDS - begin)) s"
done
for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
  ln -sf kube "$BIN/$name"
done
