#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
set -f # the user's options are words, not patterns
# Load balancers of services would stay behind when the cluster goes: nothing on
# them says whose they are.
controllers=
if [ -n "$(cloud_options)" ]; then
    controllers='--controllers=*,-service,-route'
fi
authority=
if [ -n "$(param ca_key)" ]; then
    authority=/etc/kubernetes/certs/ca
fi
"$engine" rm --force kube-controller-manager || :
# shellcheck disable=SC2046 # the options are words
exec "$engine" run --name kube-controller-manager --net host --security-opt label=disable \
    --volume /etc/kubernetes:/etc/kubernetes:ro \
    --volume "$pki:$pki:ro" \
    "$(hyperkube)" /hyperkube kube-controller-manager \
    --kubeconfig=/etc/kubernetes/controller-manager.conf \
    --leader-elect=true \
    --use-service-account-credentials=true \
    --root-ca-file=/etc/kubernetes/certs/ca.crt \
    --service-account-private-key-file=/etc/kubernetes/certs/service-account.key \
    --service-cluster-ip-range="$(param portal_network_cidr)" \
    --allocate-node-cidrs=true \
    --cluster-cidr="$(param pods_network_cidr)" \
    --node-cidr-mask-size="$(param flannel_network_subnetlen)" \
    ${controllers:+"$controllers"} \
    ${authority:+"--cluster-signing-cert-file=$authority.crt"} \
    ${authority:+"--cluster-signing-key-file=$authority.key"} \
    $(cloud_options) \
    $(param kubecontroller_options)
