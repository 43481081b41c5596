#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A CA for the cluster, one for the front proxy, the key of service accounts, client certificates and kubeconfigs. Makes
# only what is missing.
set -euo pipefail
. "$(dirname "$0")/env.sh"
mkdir -p "$PKI" "$CONF"
cd "$PKI"

key() {
  [[ -s $1.key ]] || openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
}

ca() {
  key "$1"
  [[ -s $1.crt ]] || openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,digitalSignature
}

# cert NAME CA SUBJECT USAGE [ALTERNATIVE NAMES]
cert() {
  key "$1"
  [[ ! -s $1.crt ]] || return 0
  {
    echo "keyUsage=critical,digitalSignature,keyEncipherment"
    echo "extendedKeyUsage=$4"
    [[ -z ${5-} ]] || echo "subjectAltName=$5"
  } >"$1.ext"
  openssl req -new -key "$1.key" -subj "$3" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 -extfile "$1.ext" \
    -out "$1.crt" 2>/dev/null
}

# client NAME SUBJECT [USAGE [ALTERNATIVE NAMES]]: a certificate and a kubeconfig with it.
client() {
  cert "$1" ca "$2" "${3-clientAuth}" "${4-}"
  write "$CONF/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 <ca.crt)}}]
users: [{name: u, user: {client-certificate-data: $(base64 -w0 <"$1.crt"), client-key-data: $(base64 -w0 <"$1.key")}}]
YAML
}

umask 077
ca ca
ca front-proxy-ca
key sa
[[ -s sa.pub ]] || openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null
names=DNS:localhost
for name in kubernetes kubernetes.default kubernetes.default.svc kubernetes.default.svc.cluster.local; do
  names+=,DNS:$name
done
cert apiserver ca "/CN=kube-apiserver" serverAuth "$names,IP:127.0.0.1,IP:$HOST,IP:10.96.0.1"
cert apiserver-kubelet ca "/O=system:masters/CN=kube-apiserver-kubelet-client" clientAuth
cert front-proxy front-proxy-ca "/CN=front-proxy-client" clientAuth
client admin "/O=system:masters/CN=admin"
client controller-manager "/CN=system:kube-controller-manager"
client scheduler "/CN=system:kube-scheduler"
((CLUSTER_INSTANCE == 0)) || exit 0
client proxy "/CN=system:kube-proxy"
client "$NODE" "/O=system:nodes/CN=system:node:$NODE" clientAuth,serverAuth "DNS:$NODE,IP:$HOST"
