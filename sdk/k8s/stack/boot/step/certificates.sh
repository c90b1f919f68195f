#!/bin/sh
# The node's keys and certificates, and on a master those of the control plane.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
name=$(node_name)
address=$(param address)
login
authority ca.crt
own=$({ names IP "$address" 127.0.0.1; names DNS "$name"; } | join)
certificate kubelet '' "system:node:$name" system:nodes "$own"
certificate proxy '' system:kube-proxy system:node-proxier ''

if [ "$(param role)" = master ]; then
    authority etcd-ca.crt etcd
    authority front-proxy-ca.crt front-proxy
    service=$(param portal_network_cidr | sed 's|/.*||')
    first=${service%.*}.$((${service##*.} + 1))
    domain=cluster.local
    api=$({
        names IP "$address" 127.0.0.1 "$first" "$(param external_address)" \
            "$(param api_private_address)" "$(param api_public_address)"
        names DNS "$name" localhost kubernetes kubernetes.default \
            kubernetes.default.svc "kubernetes.default.svc.$domain"
    } | join)
    member=$({ names IP "$address" 127.0.0.1 "$(param etcd_address)"; names DNS "$name"; } | join)
    certificate server '' kubernetes '' "$api"
    certificate admin '' admin system:masters ''
    certificate controller-manager '' system:kube-controller-manager '' ''
    certificate scheduler '' system:kube-scheduler '' ''
    certificate etcd etcd etcd '' "$member"
    certificate etcd-client etcd kube-apiserver-etcd-client '' ''
    certificate front-proxy front-proxy front-proxy-client '' ''
    param kube_service_account_key >"$certs/service-account.pub"
    param kube_service_account_private_key >"$certs/service-account.key"
    if [ -n "$(param ca_key)" ]; then
        param ca_key >"$certs/ca.key"
    fi
fi
