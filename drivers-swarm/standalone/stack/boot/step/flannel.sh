#!/bin/sh
# flannel, which leases this node its part of the containers' network. docker's own
# network is made of that.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "${lease%/*}"
unit flannel "flannel" docker.service
leased() {
    [ -s "$lease" ]
}
retry 180 10 leased || {
    journalctl --no-pager --lines 4 --output cat --unit flannel
    exit 1
}
write_daemon
systemctl restart docker
