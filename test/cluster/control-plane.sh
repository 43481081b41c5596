# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# etcd, the API server, the controllers and the scheduler: what up.sh starts of every instance.

start_control_plane() {
  local etcd=http://127.0.0.1:$((2379 + PORTS)) peer=http://127.0.0.1:$((2380 + PORTS))
  # A control plane without a node gives itself no address to be found at by pods; loopback would be refused as one.
  local reconciler=lease
  ((CLUSTER_INSTANCE == 0)) || reconciler=none
  alive apiserver || check_ports "$HOST:$((6443 + PORTS))"
  alive etcd || check_ports "${etcd#*//}" "${peer#*//}"

  start etcd "$BIN/etcd" --name e --data-dir "$CLUSTER_DATA/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "e=$peer"
  start apiserver "$BIN/kube-apiserver" --etcd-servers "$etcd" \
    --bind-address "$HOST" --advertise-address "$HOST" --secure-port $((6443 + PORTS)) \
    --endpoint-reconciler-type "$reconciler" --cert-dir "$CLUSTER_DATA/apiserver" \
    --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" --client-ca-file "$PKI/ca.crt" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged=true \
    --service-cluster-ip-range "$SERVICE_NET" --service-node-port-range 30000-32767 \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" \
    --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$PKI/apiserver-kubelet.crt" --kubelet-client-key "$PKI/apiserver-kubelet.key" \
    --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --proxy-client-cert-file "$PKI/front-proxy.crt" --proxy-client-key-file "$PKI/front-proxy.key"
  wait_for 120 "the API server is ready" apiserver "$KUBECTL" get --raw /readyz
  local config=$CONF/controller-manager.kubeconfig
  # At its own 20 questions a second it takes 5 s to start.
  start controller-manager "$BIN/kube-controller-manager" --kubeconfig "$config" \
    --authentication-kubeconfig "$config" --authorization-kubeconfig "$config" \
    --service-account-private-key-file "$PKI/sa.key" --root-ca-file "$PKI/ca.crt" --use-service-account-credentials \
    --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" \
    --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --cert-dir "$CLUSTER_DATA/controller-manager" \
    --bind-address 127.0.0.1 --secure-port $((10257 + PORTS)) --leader-elect=false \
    --kube-api-qps 1000 --kube-api-burst 1000 --allocate-node-cidrs --cluster-cidr "$POD_NET" --node-cidr-mask-size 24 \
    --horizontal-pod-autoscaler-sync-period 2s --horizontal-pod-autoscaler-downscale-stabilization 10s \
    --horizontal-pod-autoscaler-cpu-initialization-period 5s --horizontal-pod-autoscaler-initial-readiness-delay 2s
  config=$CONF/scheduler.kubeconfig
  start scheduler "$BIN/kube-scheduler" --kubeconfig "$config" --authentication-kubeconfig "$config" \
    --authorization-kubeconfig "$config" --bind-address 127.0.0.1 --secure-port $((10259 + PORTS)) \
    --leader-elect=false
  wait_for 60 "the controllers made the default service account" controller-manager "$KUBECTL" get sa default
}

# check_ports ADDRESS...: what listens there would answer in place of ours.
check_ports() {
  local address
  for address in "$@"; do
    ! (exec 3<>"/dev/tcp/${address/:/\/}") 2>/dev/null ||
      fail "another program listens on $address; end it, or take another CLUSTER_INSTANCE for a control plane"
  done
}
