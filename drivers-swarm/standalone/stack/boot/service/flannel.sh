#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
scheme=http
if ! is_true tls_disabled; then
    scheme=https
fi
docker rm --force flannel || :
# shellcheck disable=SC2046 # the options are words
exec docker run --name flannel --net host --privileged \
    --volume /dev/net:/dev/net \
    --volume /etc/docker:/etc/docker:ro \
    --volume /var/lib/flannel:/var/lib/flannel \
    "$(image flannel quay.io/coreos/ "$(param flannel_tag)")" \
    --etcd-endpoints="$(etcd_addresses $scheme://)" $(with_etcd --etcd- cafile certfile keyfile) \
    --iface="$(param address)" --ip-masq --subnet-file=/var/lib/flannel/subnet.env
