#!/bin/sh
# The first master makes the swarm, the others join it. A first master that was
# made anew finds the swarm that the others are in.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param role)" != master ]; then
    retry 60 30 join_as Worker
elif [ "$(param index)" != 0 ]; then
    retry 60 30 join_as Manager
elif ! join_as Manager; then
    set -- --advertise-addr "$(param address)" --listen-addr 0.0.0.0:2377
    # Engines that do not know this take their subnets from where the nodes may
    # be: 10.0.0.0/24 and what follows.
    if docker swarm init --help | grep -q -e --default-addr-pool; then
        set -- "$@" --default-addr-pool 10.255.0.0/16 --default-addr-pool-mask-length 24
    fi
    docker swarm init "$@" >/dev/null # it prints a token
fi
