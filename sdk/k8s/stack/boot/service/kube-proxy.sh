#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
set -f # the user's options are words, not patterns
"$engine" rm --force kube-proxy || :
# shellcheck disable=SC2046 # the options are words
exec "$engine" run --name kube-proxy --net host --privileged \
    --volume /etc/kubernetes:/etc/kubernetes:ro \
    --volume /lib/modules:/lib/modules:ro \
    --volume /run:/run \
    "$(hyperkube)" /hyperkube kube-proxy \
    --kubeconfig=/etc/kubernetes/proxy.conf \
    --hostname-override="$(node_name)" \
    --cluster-cidr="$(param pods_network_cidr)" \
    $(param kubeproxy_options)
