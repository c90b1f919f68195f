#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
"$engine" rm --force registry || :
exec "$engine" run --name registry --net host --security-opt label=disable \
    --volume "$(trusted):/etc/ssl/certs/ca-certificates.crt:ro" \
    --volume /etc/magnum/registry:/etc/docker/registry:ro \
    "$(image registry docker.io/ "$(param registry_tag)")"
