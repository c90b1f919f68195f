#!/bin/sh
# docker's options are in daemon.json, and docker does not start when the unit has
# one of them too.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/systemd/system/docker.service.d"
cat >"$root/etc/systemd/system/docker.service.d/50-magnum.conf" <<'END'
[Service]
Environment=DOCKER_CGROUPS= DOCKER_OPTS=
END
