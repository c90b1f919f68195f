#!/bin/sh
# What docker of Fedora Atomic is told by its own file, besides what the system's
# files tell it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/docker"
# No cgroup driver or storage here: docker refuses what it is told twice.
printf '{"debug": false%s}\n' "$(daemon_options)" >"$root/etc/docker/daemon.json"
