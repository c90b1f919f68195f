#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
# shellcheck disable=SC2154 # certs: see certificate.sh
keys=${certs#"$root"}
"$engine" rm --force etcd || :
exec "$engine" run --name etcd --net host --security-opt label=disable \
    --volume /etc/etcd:/etc/etcd:ro \
    --volume "$keys:$keys:ro" \
    --volume /var/lib/etcd:/var/lib/etcd \
    "$(image etcd quay.io/coreos/ "$(param etcd_tag)")" \
    /usr/local/bin/etcd --config-file /etc/etcd/etcd.yaml
