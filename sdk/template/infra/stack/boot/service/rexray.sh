#!/bin/sh
# REX-Ray, which makes and mounts Cinder volumes for containers.
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
docker rm --force rexray >/dev/null 2>&1 || :
exec docker run --name rexray --privileged --pid host --net host \
    --volume /run/docker/plugins:/run/docker/plugins \
    --volume /var/lib/rexray:/var/lib/rexray:shared \
    --volume /var/lib/libstorage:/var/lib/libstorage:shared \
    --volume /var/run/rexray:/var/run/rexray \
    --volume /var/log/rexray:/var/log/rexray \
    --volume /dev:/dev \
    --volume "$(trusted):/etc/ssl/certs/ca-certificates.crt:ro" \
    --volume /etc/rexray/config.yml:/etc/rexray/config.yml:ro \
    openstackmagnum/rexray:alpine
