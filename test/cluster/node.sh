# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What makes a node of a control plane: network, registry, containerd, kubelet, kube-proxy, addons.

check_node() {
  ((EUID == 0)) || fail "a node needs root; a control plane alone (CLUSTER_INSTANCE=1) does not"
  has gcc containerd runc docker-registry iptables conntrack ip busybox
  [[ -x /usr/lib/cni/bridge ]] || fail "there is no /usr/lib/cni/bridge, of Debian's containernetworking-plugins"
  [[ " $CLUSTER_ADDONS " != *" ingress "* ]] || has nginx
}

set_up_network() {
  # Else the interface of each pod gets an address by itself when it comes, and loses it when it goes. To a browser on
  # this machine either is a change of the network, for which it cuts the requests that are on their way.
  if [[ $(cat "$IPV6_OFF" 2>/dev/null) == 0 ]]; then
    mkdir -p "$RUN"
    touch "$RUN/ipv6-was-on"
    echo 1 >"$IPV6_OFF"
  fi
  [[ -d /sys/class/net/nuclio0 ]] || ip link add nuclio0 type bridge
  ip addr replace "$HOST/24" dev nuclio0
  ip link set nuclio0 up
  # Service addresses never leave this machine: where kube-proxy has no rule (yet), they end on the portless bridge.
  ip route replace "$SERVICE_NET" dev nuclio0
  local settings=(net.ipv4.ip_forward=1 fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=524288)
  # Where the bridge's filter is a module, it may not be loaded yet.
  modprobe -q br_netfilter 2>/dev/null || true
  [[ ! -e /proc/sys/net/bridge ]] || settings+=(net.bridge.bridge-nf-call-iptables=1)
  local setting
  for setting in "${settings[@]}"; do
    echo "${setting#*=}" >"/proc/sys/$(tr . / <<<"${setting%=*}")"
  done
  mount --make-rshared /
}

# Two servers over one store: on loopback for the host, on the node's address for pods.
start_registry() {
  local address
  for address in 127.0.0.1 "$HOST"; do
    alive "registry-$address" || check_ports "$address:5000"
    write "$CONF/registry-$address.yaml" <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $CLUSTER_DATA/registry}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
http: {addr: "$address:5000", secret: registry}
YAML
    start "registry-$address" docker-registry serve "$CONF/registry-$address.yaml"
  done
}

start_containerd() {
  mkdir -p "$CONF/cni" "$CONF/certs.d/$HOST:5000" "$RUN"
  write "$CONF/certs.d/$HOST:5000/hosts.toml" <<TOML
server = "http://$HOST:5000"
[host."http://$HOST:5000"]
capabilities = ["pull", "resolve", "push"]
TOML
  write "$CONF/cni/10-bridge.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
 {"type": "bridge", "bridge": "nuclio1", "isGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}],
           "dataDir": "$CLUSTER_DATA/ipam"}},
 {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}
JSON
  # Where root lacks CAP_SYS_RESOURCE an OOM score cannot be lowered, and runc would fail without restrict_….
  write "$CONF/containerd.toml" <<TOML
version = 2
root = "$CLUSTER_DATA/containerd"
state = "$RUN/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$RUN/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$REGISTRY/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$CONF/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$CONF/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
TOML
  start containerd containerd -c "$CONF/containerd.toml"
  wait_for 30 "the registry answers at $REGISTRY" registry-127.0.0.1 curl -fsS "http://$REGISTRY/v2/"
}

push_images() {
  local pause=$BIN/pause busybox addon
  busybox=$(command -v busybox)
  [[ -x $pause && ! $HERE/images/pause.c -nt $pause ]] || gcc -Os -static -s -o "$pause" "$HERE/images/pause.c"
  push pause:1 "$(sha256sum <"$pause")" --add "$pause:/pause" --entrypoint '["/pause"]'
  push busybox:1 "$(cat "$busybox" "$HERE/images/bbsh" | sha256sum)" --add "$busybox:/bin/busybox" \
    --add "$HERE/images/bbsh:/bin/sh:755" --cmd '["/bin/busybox", "sleep", "1000000"]'
  for addon in $CLUSTER_ADDONS; do
    case $addon in
      dns) push coredns:1 "$(<"$BIN/coredns.stamp")" --add "$BIN/coredns:/coredns" --entrypoint '["/coredns"]' ;;
      metrics)
        push metrics-server:1 "$(<"$BIN/metrics-server.stamp")" --add "$BIN/metrics-server:/metrics-server" \
          --entrypoint '["/metrics-server"]'
        ;;
      ingress) push_ingress ;;
    esac
  done
  say "the images are in the registry"
}

# push NAME:TAG STAMP ARGUMENTS OF mkimage.py...: unless the registry has it with this stamp.
push() {
  local name=$1 stamp=$2
  shift 2
  ! pushed "$name" "$stamp" || return 0
  python3 "$HERE/images/mkimage.py" "$REGISTRY/$name" "$@" >>"$LOGS/images.log" 2>&1 ||
    fail "pushing $name; the log is $LOGS/images.log"
  mkdir -p "$CLUSTER_DATA/images"
  echo "$stamp" >"$CLUSTER_DATA/images/$name"
}

pushed() {
  [[ $(cat "$CLUSTER_DATA/images/$1" 2>/dev/null) == "$2" ]] &&
    curl -fsS -o /dev/null -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
      "http://$REGISTRY/v2/${1%:*}/manifests/${1#*:}" 2>/dev/null
}

push_ingress() {
  local stamp root=$CLUSTER_DATA/ingress-root
  stamp=$({ cat "$BIN/ingress.stamp" && find "$HERE/images" -type f -print0 | sort -z | xargs -0 cat; } | sha256sum)
  ! pushed ingress:1 "$stamp" || return 0
  "$HERE/images/ingress-root.sh" "$root" >>"$LOGS/images.log" 2>&1 ||
    fail "making the ingress controller's image; the log is $LOGS/images.log"
  push ingress:1 "$stamp" --add "$root:/" --entrypoint '["/nginx-ingress-controller"]'
  rm -rf "$root"
}

start_node() {
  : >"$CONF/resolv.conf" # pods look nothing up outside
  write "$CONF/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $HOST
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $PKI/$NODE.crt
tlsPrivateKeyFile: $PKI/$NODE.key
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDNS: [$DNS]
clusterDomain: cluster.local
resolvConf: $CONF/resolv.conf
containerRuntimeEndpoint: unix://$RUN/containerd.sock
podLogsDir: $CLUSTER_DATA/podlogs
healthzBindAddress: 127.0.0.1
serializeImagePulls: false
registryPullQPS: 0
syncFrequency: 10s
nodeStatusUpdateFrequency: 5s
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 99
imageGCLowThresholdPercent: 98
shutdownGracePeriod: 0s
maxPods: 200
oomScoreAdj: 0
YAML
  start kubelet "$BIN/kubelet" --config "$CONF/kubelet.yaml" --kubeconfig "$CONF/$NODE.kubeconfig" \
    --hostname-override "$NODE" --node-ip "$HOST" --root-dir "$CLUSTER_DATA/kubelet" \
    --cert-dir "$CLUSTER_DATA/kubelet/pki" --housekeeping-interval 5s
  write "$CONF/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $CONF/proxy.kubeconfig}
mode: iptables
clusterCIDR: $POD_NET
hostnameOverride: $NODE
nodePortAddresses: ["127.0.0.0/8", "${HOST%.*}.0/24"]
conntrack: {maxPerCore: 0}
oomScoreAdj: 0
iptables: {minSyncPeriod: 100ms, syncPeriod: 30s}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
YAML
  start proxy "$BIN/kube-proxy" --config "$CONF/proxy.yaml"
  wait_for 90 "the node is known" kubelet "$KUBECTL" get node "$NODE"
  wait_for 90 "the node is ready" kubelet "$KUBECTL" wait --for=condition=Ready "node/$NODE" --timeout=1s
}

start_addons() {
  local addon
  for addon in $CLUSTER_ADDONS; do "$KUBECTL" apply -f "$HERE/manifests/$addon.yaml" >/dev/null; done
  for addon in $CLUSTER_ADDONS; do
    wait_for 180 "the addon $addon is ready" kubelet \
      "$KUBECTL" -n kube-system rollout status "deploy/$addon" --timeout=1s
    [[ $addon != metrics ]] || wait_for 90 "the node has metrics" kubelet \
      "$KUBECTL" get --raw "/apis/metrics.k8s.io/v1beta1/nodes/$NODE"
  done
}
