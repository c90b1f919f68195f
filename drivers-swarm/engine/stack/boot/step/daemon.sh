#!/bin/sh
# docker of Fedora Atomic refuses what it is told in both of its files, and a
# cluster's network where containers outlive it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/docker" "$root/etc/sysconfig"
touch "$root/etc/sysconfig/docker"
sed -i '/^OPTIONS=/s/ *--live-restore\(=[a-z]*\)*//' "$root/etc/sysconfig/docker"
# An image that has run docker has its identity, which no two engines may share.
rm -f "$root/etc/docker/key.json"
write_daemon
