#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tidy.sh ROOT: the last step in a root file system of Debian's packages, which mmdebstrap runs before it writes the tar.
# Adds the user that our images run as, and removes what would make two runs differ or what nothing needs.
set -eu
root=$1

# 65532 is what other images without root call "nonroot", and far from the numbers that Debian gives away.
echo 'nuclio:x:65532:65532:Nuclio:/home/nuclio:/usr/sbin/nologin' >>"$root/etc/passwd"
echo 'nuclio:x:65532:' >>"$root/etc/group"
mkdir -p "$root/home/nuclio/.nuclio"
chown -R 65532:65532 "$root/home/nuclio"

# Nobody in a container needs to become somebody else. The machine's own /dev is mounted in ROOT now, hence not all of it.
find "$root/usr" -type f -perm /6000 -exec chmod ug-s {} +

# How dpkg was to work here.
rm -f "$root/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
# What apt knows of this machine's mirrors, and apt itself is not there.
rm -rf "$root/etc/apt/sources.list" "$root/etc/apt/sources.list.d" "$root/var/lib/apt" "$root/var/cache/apt"
# mmdebstrap's copies of this machine's own; a container gets them when it starts.
rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
# Logs, caches and earlier versions of files, which have times or this run's order in them.
rm -f "$root/etc/passwd-" "$root/etc/group-" "$root/etc/shadow-" "$root/etc/gshadow-" "$root/etc/machine-id"
rm -f "$root/var/cache/ldconfig/aux-cache" "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
rm -f "$root/var/lib/dpkg/lock" "$root/var/lib/dpkg/lock-frontend" "$root/var/lib/dpkg/triggers/Lock"
rm -f "$root/var/lib/systemd/random-seed"
find "$root/var/log" "$root/run" "$root/tmp" "$root/var/tmp" -xdev -mindepth 1 -delete
