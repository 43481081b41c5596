#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks a running node: pods, cluster addresses, NodePorts, DNS, logs, exec, pulls; of the addons that run also the
# ingress and autoscaling.
set -euo pipefail
. "$(dirname "$0")/env.sh"

space=smoke
manifests=$HERE/manifests

main() {
  "$KUBECTL" delete ns $space --ignore-not-found --timeout=60s >/dev/null
  "$KUBECTL" create ns $space >/dev/null
  k apply -f "$manifests/smoke.yaml" >/dev/null
  local name address pod
  for name in web next; do
    check 60 "deployment $name is rolled out" k rollout status "deploy/$name" --timeout=1s
  done
  address=$(k get svc web -o jsonpath='{.spec.clusterIP}')
  pod=$(k get pod -l app=web -o jsonpath='{.items[0].metadata.name}')
  check 10 "the cluster address $address answers the host" fetch "http://$address/"
  for address in 127.0.0.1 "$HOST"; do
    check 10 "NodePort $address:30080 answers" fetch "http://$address:30080/"
  done
  check 10 "the pod's log is read" says serving
  ! addon dns || check 10 "exec, DNS and the service work inside a pod" \
    k exec "$pod" -- /bin/sh -c "wget -qO- http://web.$space.svc.cluster.local/"
  ! addon ingress || check_ingress
  ! addon metrics || check_autoscaling
  "$KUBECTL" delete ns $space --wait=false >/dev/null
  say "all is well"
}

check_ingress() {
  local at=http://127.0.0.1:30081 count=0 answer
  check 30 "the ingress knows a host" fetch -H 'Host: web.test' $at/
  check 30 "the ingress asks for a login" refuses $at/p/
  check 10 "the ingress takes a login and rewrites a path" \
    fetch -u user:pass -H 'Host: login.test' $at/p/index.html
  for _ in {1..200}; do
    answer=$(fetch -H 'Host: web.test' $at/)
    [[ $answer != next-* ]] || count=$((count + 1))
  done
  say "a canary of weight 30 got $count of 200 requests"
  ((count > 30 && count < 95))
}

check_autoscaling() {
  k apply -f "$manifests/hpa.yaml" >/dev/null
  check 60 "a pod has metrics" k top pod -l app=burn
  check 90 "the autoscaler raised burn to 3 pods" replicas 3
}

k() { "$KUBECTL" -n $space "$@"; }
check() { wait_for "$1" "$2" kubelet "${@:3}"; }
fetch() { curl -fsS -m 2 "$@"; }
says() { k logs "$pod" | grep -qx "$1"; }
refuses() { [[ $(curl -s -o /dev/null -w '%{http_code}' -H 'Host: login.test' "$1") == 401 ]]; }
replicas() { [[ $(k get deploy burn -o jsonpath='{.status.readyReplicas}') == "$1" ]]; }
addon() { "$KUBECTL" -n kube-system get deploy "$1" >/dev/null 2>&1; }

main
