#!/bin/sh
# docker's options are in daemon.json. Those of Fedora's unit and of its files in
# /etc/sysconfig are in the way: docker does not start when it has one twice.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/systemd/system/docker.service.d"
cat >"$root/etc/systemd/system/docker.service.d/50-magnum.conf" <<'END'
[Service]
ExecStart=
ExecStart=/usr/bin/dockerd --host=fd://
END
