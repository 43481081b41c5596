#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compile.sh HOME: leaves compiled Python beside the sources for each supported interpreter of this machine, since the
# folder may be read-only where it is used, and a worker that compiles for itself takes twice as long to start. In an
# image files have no times to compare with, so what is compiled counts as it is.
set -eu
here=$(dirname "$0")
# shellcheck source=runtimes/python/find_python.sh
. "$here/find_python.sh"
for version in 3.9 3.10 3.11 3.12 3.13; do
  if find_python "$version" 2>/dev/null; then
    PYTHONHASHSEED=0 "$python" -m compileall -q --invalidation-mode unchecked-hash "$1/nuclio_worker" "$1/site-packages"
  fi
done
