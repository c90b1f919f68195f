#!/bin/sh
# What docker of Fedora Atomic is told by its own file; the rest is in the system's.
# It refuses what it is told in both, and a swarm where containers outlive it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/docker" "$root/etc/sysconfig"
touch "$root/etc/sysconfig/docker"
sed -i '/^OPTIONS=/s/ *--live-restore\(=[a-z]*\)*//' "$root/etc/sysconfig/docker"
printf '{%s}\n' "$(daemon_options | sed '1s/^, *//')" >"$root/etc/docker/daemon.json"
