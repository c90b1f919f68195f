#!/bin/sh
# docker of Debian and Ubuntu listens where its unit says, which it must not if
# daemon.json says it too.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
folder=$root/etc/systemd/system/docker.service.d
mkdir -p "$folder"
cat >"$folder/magnum.conf" <<END
[Service]
ExecStart=
ExecStart=$(command -v dockerd) --containerd=/run/containerd/containerd.sock
END
systemctl daemon-reload
