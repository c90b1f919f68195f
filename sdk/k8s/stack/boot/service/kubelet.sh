#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
set -f # the user's options are words, not patterns
labels="magnum.openstack.org/role=$(param nodegroup_role),magnum.openstack.org/nodegroup=$(param nodegroup_name)"
more=$(param node_labels)
taints=$(param node_taints)
"$engine" rm --force kubelet || :
# shellcheck disable=SC2046 # the options are words
exec "$engine" run --name kubelet --net host --pid host --privileged \
    --volume /dev:/dev \
    --volume /etc/cni/net.d:/etc/cni/net.d:ro \
    --volume /etc/kubernetes:/etc/kubernetes:ro \
    --volume /etc/machine-id:/etc/machine-id:ro \
    --volume "$pki:$pki:ro" \
    --volume "$resolver:/etc/resolv.conf:ro" \
    --volume /lib/modules:/lib/modules:ro \
    --volume /opt/cni/bin:/opt/cni/bin:ro \
    --volume /run:/run \
    --volume /sys:/sys \
    --volume /sys/fs/cgroup:/sys/fs/cgroup \
    --volume /usr/lib/os-release:/etc/os-release:ro \
    --volume /var/lib/calico:/var/lib/calico:ro \
    --volume /var/lib/cni:/var/lib/cni \
    --volume /var/lib/docker:/var/lib/docker:rshared \
    --volume /var/lib/kubelet:/var/lib/kubelet:rshared \
    --volume /var/log:/var/log \
    "$(hyperkube)" /hyperkube kubelet \
    --kubeconfig=/etc/kubernetes/kubelet.conf \
    --hostname-override="$(node_name)" \
    --node-ip="$(param address)" \
    --node-labels="$labels${more:+,$more}" \
    --client-ca-file=/etc/kubernetes/certs/ca.crt \
    --tls-cert-file=/etc/kubernetes/certs/kubelet.crt \
    --tls-private-key-file=/etc/kubernetes/certs/kubelet.key \
    --anonymous-auth=false \
    --authentication-token-webhook=true \
    --authorization-mode=Webhook \
    --read-only-port=0 \
    --cgroup-driver="$(param cgroup_driver)" \
    --network-plugin=cni \
    --cni-conf-dir=/etc/cni/net.d \
    --cni-bin-dir=/opt/cni/bin \
    --cluster-dns="$(param dns_service_ip)" \
    --cluster-domain=cluster.local \
    --pod-infra-container-image="$(image pause registry.k8s.io/ 3.2)" \
    ${taints:+"--register-with-taints=$taints"} \
    $(cloud_options) \
    $(param kubelet_options)
