#!/bin/sh
# All that the cluster is made of is on the image. One that lacks something is
# told from one that is broken.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param role)" = master ]; then
    programs="systemctl mesos-master marathon"
    files="/etc/zookeeper/conf"
else
    programs="systemctl mesos-slave dockerd"
    files=
fi
missing=
for one in $programs; do
    command -v "$one" >/dev/null || missing="$missing $one"
done
for one in $files; do
    [ -e "$root$one" ] || missing="$missing $one"
done
if [ -n "$missing" ]; then
    echo "the image lacks:$missing. A cluster needs an Ubuntu image with systemd, ZooKeeper, Mesos, Marathon and docker installed." >&2
    exit 1
fi
