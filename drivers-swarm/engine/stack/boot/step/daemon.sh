#!/bin/sh
# docker of Fedora Atomic refuses what it is told in both of its files, and a
# cluster's network where containers outlive it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/docker" "$root/etc/sysconfig"
touch "$root/etc/sysconfig/docker"
sed -i '/^OPTIONS=/s/ *--live-restore\(=[a-z]*\)*//' "$root/etc/sysconfig/docker"
write_daemon
