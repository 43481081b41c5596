# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Settings and words that the scripts of this folder share; README.md lists the settings that come from outside.
# shellcheck disable=SC2034 # they are used there

CLUSTER_INSTANCE=${CLUSTER_INSTANCE:-0}
CLUSTER_ADDONS=${CLUSTER_ADDONS-dns}
CLUSTER_CACHE=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nuclio-cluster}
if ((CLUSTER_INSTANCE == 0)); then
  CLUSTER_DATA=${CLUSTER_DATA:-$CLUSTER_CACHE/data}
  # The node's address stands on a bridge of our own without an outside port.
  HOST=10.99.0.1
else
  CLUSTER_DATA=${CLUSTER_DATA:-$CLUSTER_CACHE/control-plane-$CLUSTER_INSTANCE}
  HOST=127.0.0.1
fi
export CLUSTER_INSTANCE CLUSTER_ADDONS CLUSTER_CACHE CLUSTER_DATA
# A hundred ports an instance: the last two digits of those below differ, so no two instances meet.
PORTS=$((CLUSTER_INSTANCE * 100))
API=https://$HOST:$((6443 + PORTS))
NODE=node1
POD_NET=10.244.0.0/16
SERVICE_NET=10.96.0.0/16
DNS=10.96.0.10
REGISTRY=127.0.0.1:5000 # as image names say it

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=$CLUSTER_CACHE/bin
PKI=$CLUSTER_DATA/pki
CONF=$CLUSTER_DATA/conf
LOGS=$CLUSTER_DATA/log
PIDS=$CLUSTER_DATA/pid
RUN=/run/nuclio-cluster # sockets and mounts of the container runtime
IPV6_OFF=/proc/sys/net/ipv6/conf/default/disable_ipv6 # of interfaces that come from now on
KUBECTL=$BIN/kubectl
export KUBECONFIG=$CONF/admin.kubeconfig

# In the order in which they start.
CONTROL_PLANE=(etcd apiserver controller-manager scheduler)
NODE_PROCESSES=(registry-127.0.0.1 "registry-$HOST" containerd kubelet proxy)

STARTED=${STARTED:-$(date +%s.%N)}
export STARTED

# One line a step, with the seconds since the start.
say() {
  printf '[cluster %6.1f s] %s\n' "$(awk "BEGIN {print $(date +%s.%N) - $STARTED}")" "$*" >&2
}

fail() {
  say "FAILED: $*"
  exit 1
}

# Only one script at a time changes an instance. What `start` starts does not hold the lock.
lock() {
  mkdir -p "$CLUSTER_CACHE"
  exec 9>"$CLUSTER_CACHE/lock-$CLUSTER_INSTANCE"
  flock -w 1800 9 || fail "another script has held $CLUSTER_CACHE/lock-$CLUSTER_INSTANCE for half an hour"
}

# alive NAME: whether the process that we started under that name is still there. A pid file outlives a crash, and its
# number may belong to another process by then.
alive() {
  local pid
  pid=$(cat "$PIDS/$1" 2>/dev/null) && [[ -n $pid ]] &&
    grep -qzFx "CLUSTER_PROCESS=$CLUSTER_DATA/$1" "/proc/$pid/environ" 2>/dev/null
}

# start NAME COMMAND...: runs it in the background unless it runs already.
start() {
  local name=$1
  shift
  ! alive "$name" || return 0
  rm -f "$PIDS/$name"
  # shellcheck disable=SC2016 # the inner shell expands these
  CLUSTER_PROCESS=$CLUSTER_DATA/$name setsid -f bash -c 'echo $$ >"$0"; exec "$@"' "$PIDS/$name" "$@" \
    </dev/null >>"$LOGS/$name.log" 2>&1 9>&-
}

# stop SECONDS NAME...: asks all of them to end, and kills those that are left after the time.
stop() {
  local tenths=$(($1 * 10)) name left
  shift
  for name in "$@"; do
    ! alive "$name" || kill "$(<"$PIDS/$name")" 2>/dev/null || true
  done
  for (( ; tenths > 0; tenths--)); do
    left=0
    for name in "$@"; do ! alive "$name" || left=1; done
    ((left)) || break
    sleep 0.1
  done
  for name in "$@"; do
    ! alive "$name" || kill -KILL "$(<"$PIDS/$name")" 2>/dev/null || true
    rm -f "$PIDS/$name"
  done
}

# write FILE: from stdin, unless it says the same already: kube-proxy ends when somebody touches its settings.
write() {
  local text
  text=$(cat)
  [[ -f $1 && $(<"$1") == "$text" ]] || echo "$text" >"$1"
}

# wait_for SECONDS WHAT PROCESS COMMAND...: until the command succeeds. Gives up when the process dies.
wait_for() {
  local end=$((SECONDS + $1)) what=$2 process=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    [[ -f $PIDS/$process ]] && ! alive "$process" && {
      tail -n 5 "$LOGS/$process.log" >&2
      fail "$what: $process has ended; its log is $LOGS/$process.log"
    }
    ((SECONDS < end)) || fail "$what: not within the time limit; the logs are in $LOGS"
    sleep 0.2
  done
  say "$what"
}
