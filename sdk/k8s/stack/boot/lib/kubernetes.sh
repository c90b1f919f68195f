# shellcheck shell=sh
# What steps and services of a Kubernetes node share.

# shellcheck disable=SC2034,SC2154 # certs is for others, root and engine are of the file before
certs=$root/etc/kubernetes/certs

hyperkube() {
    image hyperkube "$(param hyperkube_prefix)" "$(param kube_tag)"
}

# api_url ADDRESS: of the API. Where TLS is off it is open at the port without.
api_url() {
    if [ "$(param kubernetes_port)" = 8080 ]; then
        echo "http://$1:8080"
    else
        echo "https://$1:6443"
    fi
}

# cloud_options: of kubelet and the controller manager, where Kubernetes speaks to
# the cloud.
cloud_options() {
    if [ -e "$root/etc/kubernetes/cloud-config" ]; then
        echo --cloud-provider=openstack --cloud-config=/etc/kubernetes/cloud-config
    fi
}

# kubeconfig FILE SERVER CERT: a client's configuration.
kubeconfig() {
    cat >"$root/etc/kubernetes/$1" <<END
apiVersion: v1
kind: Config
clusters:
- name: cluster
  cluster:
    server: $2
    certificate-authority: /etc/kubernetes/certs/ca.crt
users:
- name: user
  user:
    client-certificate: /etc/kubernetes/certs/$3.crt
    client-key: /etc/kubernetes/certs/$3.key
contexts:
- name: default
  context: {cluster: cluster, user: user}
current-context: default
END
}

# kubectl ARGUMENT...: as the cluster's administrator, from a master.
kubectl() {
    "$engine" run --rm --interactive --net host --security-opt label=disable \
        --volume /etc/kubernetes:/etc/kubernetes:ro "$(hyperkube)" \
        /hyperkube kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"
}

# inside: names and addresses of services and pods.
inside() {
    printf ',.svc,.cluster.local,%s,%s' "$(param pods_network_cidr)" "$(param portal_network_cidr)"
}
