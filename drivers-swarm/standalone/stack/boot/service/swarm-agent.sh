#!/bin/sh
# A node that is not heard of for a minute is no longer one.
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
docker rm --force swarm-agent || :
# shellcheck disable=SC2046 # the options are words
exec docker run --name swarm-agent --net host --security-opt label=disable \
    --volume /etc/docker:/etc/docker:ro \
    "$(image swarm docker.io/ "$(param swarm_version)")" \
    join --advertise "$(param address):2375" --heartbeat 20s --ttl 60s \
    $(with_etcd --discovery-opt=kv. cacertfile certfile keyfile) "$(discovery)"
