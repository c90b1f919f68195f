#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
set -f # the user's options are words, not patterns
insecure=--insecure-port=0
if [ "$(param kubernetes_port)" = 8080 ]; then
    insecure='--insecure-port=8080 --insecure-bind-address=0.0.0.0'
fi
"$engine" rm --force kube-apiserver || :
# shellcheck disable=SC2046,SC2086 # the options are words
exec "$engine" run --name kube-apiserver --net host --security-opt label=disable \
    --volume /etc/kubernetes:/etc/kubernetes:ro \
    --volume "$pki:$pki:ro" \
    "$(hyperkube)" /hyperkube kube-apiserver \
    --advertise-address="$(param address)" \
    --secure-port=6443 \
    $insecure \
    --allow-privileged=true \
    --authorization-mode=Node,RBAC \
    --enable-admission-plugins="$(param admission_control_list)" \
    --client-ca-file=/etc/kubernetes/certs/ca.crt \
    --tls-cert-file=/etc/kubernetes/certs/server.crt \
    --tls-private-key-file=/etc/kubernetes/certs/server.key \
    --kubelet-certificate-authority=/etc/kubernetes/certs/ca.crt \
    --kubelet-client-certificate=/etc/kubernetes/certs/admin.crt \
    --kubelet-client-key=/etc/kubernetes/certs/admin.key \
    --kubelet-preferred-address-types=InternalIP,Hostname \
    --etcd-servers="https://$(param etcd_address):2379" \
    --etcd-cafile=/etc/kubernetes/certs/etcd-ca.crt \
    --etcd-certfile=/etc/kubernetes/certs/etcd-client.crt \
    --etcd-keyfile=/etc/kubernetes/certs/etcd-client.key \
    --requestheader-client-ca-file=/etc/kubernetes/certs/front-proxy-ca.crt \
    --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file=/etc/kubernetes/certs/front-proxy.crt \
    --proxy-client-key-file=/etc/kubernetes/certs/front-proxy.key \
    --enable-aggregator-routing=true \
    --service-cluster-ip-range="$(param portal_network_cidr)" \
    --service-account-key-file=/etc/kubernetes/certs/service-account.pub \
    $(param kubeapi_options)
