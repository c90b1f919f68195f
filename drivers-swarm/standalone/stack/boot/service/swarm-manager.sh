#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
set -- --host tcp://0.0.0.0:2376 --replication --advertise "$(param address):2376" --strategy "$(param swarm_strategy)"
if ! is_true tls_disabled; then
    set -- "$@" --tlsverify --tlscacert /etc/docker/ca.crt --tlscert /etc/docker/server.crt --tlskey /etc/docker/server.key
fi
docker rm --force swarm-manager || :
# shellcheck disable=SC2046 # the options are words
exec docker run --name swarm-manager --net host --security-opt label=disable \
    --volume /etc/docker:/etc/docker:ro \
    "$(image swarm docker.io/ "$(param swarm_version)")" \
    manage "$@" $(with_etcd --discovery-opt=kv. cacertfile certfile keyfile) "$(discovery)"
