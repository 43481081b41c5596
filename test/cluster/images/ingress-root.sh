#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ingress-root.sh FOLDER: lays out the root folder of the ingress controller's image from Debian's nginx (installed on
# this machine) and the controller's own Lua code and template (out of the Go module cache).
set -euo pipefail
. "$(dirname "$0")/../env.sh"

root=$1
rm -rf "$root"
mkdir -p "$root"/{tmp/nginx,var/log/nginx,var/lib/nginx,usr/bin,usr/sbin,bin,proc,dev,etc/nginx} \
  "$root"/etc/ingress-controller/{ssl,auth,geoip,telemetry} "$root/usr/local/share/lua/5.1"
module=$(cd "$CLUSTER_CACHE/src/ingress" && GOWORK=off go list -mod=mod -m -f '{{.Dir}}' k8s.io/ingress-nginx)
cp -r "$module/rootfs/etc/nginx/." "$root/etc/nginx/"
chmod -R u+w "$root/etc/nginx"
rm -rf "$root/etc/nginx/lua/test"

# Debian's nginx has no Lua in stream blocks: keep the block's port alone (TCP and UDP services are not had here).
template=$root/etc/nginx/template/nginx.tmpl
awk '
  /^stream \{/ {
    print "stream {\n    server {\n        listen 127.0.0.1:{{ .StreamPort }};\n        return \"\";\n    }\n}"
    skip = 1
  }
  !skip {print}
  /^}/ {skip = 0}' "$template" >"$root/tmp/template"
mv "$root/tmp/template" "$template"
cp /etc/nginx/mime.types "$root/etc/nginx/"
cp -r "$HERE/images/lua/." "$root/etc/nginx/lua/"
modules=(ndk_http ngx_http_lua ngx_http_headers_more_filter ngx_stream)
loads=
for name in "${modules[@]}"; do
  loads+=" load_module /usr/lib/nginx/modules/${name}_module.so;"
  cp -L --parents "/usr/lib/nginx/modules/${name}_module.so" "$root"
done
for package in lua-resty-core lua-resty-lrucache lua-cjson; do dpkg -L "$package"; done |
  grep -E '/lua/5\.1/.*\.(lua|so)$' | while read -r file; do cp -L --parents "$file" "$root"; done
cp -L --parents /usr/sbin/nginx "$root"
cp "$(command -v busybox)" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
ln -s ../../bin/busybox "$root/usr/bin/diff"
find "$root" -type f \( -name '*.so' -o -path '*/sbin/nginx' \) -exec ldd {} + 2>/dev/null |
  awk '{for (i = 1; i <= NF; i++) if ($i ~ /^\// && $i !~ /:$/) print $i}' | sort -u |
  while read -r library; do [[ -e $root$library ]] || cp -L --parents "$library" "$root"; done
cat >"$root/usr/bin/nginx" <<SH
#!/bin/sh
# Debian's nginx has these as loadable modules, and the controller's template expects them built in; the workers must
# read the password files that the controller writes as root.
exec /usr/sbin/nginx -g 'user root;$loads' "\$@"
SH
chmod +x "$root/usr/bin/nginx"
printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\n' >"$root/etc/group"
cp "$BIN/ingress" "$root/nginx-ingress-controller"
