#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# copy_libraries.sh PROGRAM FOLDER: the shared libraries that a program loads, and as ld.so the loader that loads them.
# The program must be one that runs here. Libraries that are there already with the same bytes are left alone: their times
# say whether an image's layer is the same as before.
set -eu
program=$1
folder=$2

copy() {
  cmp -s "$1" "$folder/$2" || cp -L --no-preserve=all "$1" "$folder/$2"
  echo "$2" >>"$folder/.kept"
}

mkdir -p "$folder"
: >"$folder/.kept"
ldd "$program" | while read -r name arrow path _; do
  case $name in
    linux-vdso* | linux-gate*) ;;
    /*) copy "$name" ld.so ;;
    *)
      if [ "$arrow" != "=>" ] || [ ! -f "$path" ]; then
        echo "copy_libraries.sh: $program needs $name, which is not found" >&2
        exit 1
      fi
      copy "$path" "$name"
      ;;
  esac
done
chmod 755 "$folder/ld.so"
for file in "$folder"/*; do
  grep -qxF "$(basename "$file")" "$folder/.kept" || rm -f "$file"
done
rm -f "$folder/.kept"
