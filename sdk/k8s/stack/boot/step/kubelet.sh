#!/bin/sh
# kubelet and kube-proxy.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param role)" = master ]; then
    server=https://127.0.0.1:6443
else
    server=$(api_url "$(param api_private_address)")
fi
kubeconfig kubelet.conf "$server" kubelet
kubeconfig proxy.conf "$server" proxy
mkdir -p "$root/etc/cni/net.d" "$root/opt/cni/bin" "$root/var/lib/calico" "$root/var/lib/cni" "$root/var/lib/kubelet" "$root/var/log/pods" "$root/var/log/containers" \
    "$root/etc/sysctl.d"
cat >"$root/etc/sysctl.d/90-kubernetes.conf" <<END
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
END
modprobe br_netfilter
sysctl --load "$root/etc/sysctl.d/90-kubernetes.conf"
# docker sets the policy to DROP, which would hold pods' packets back.
iptables -P FORWARD ACCEPT
unit kubelet "Kubernetes node agent" docker.service
unit kube-proxy "Kubernetes service proxy"
