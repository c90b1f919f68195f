#!/bin/sh
# Runs the steps of this node one after the other and tells Heat how it went:
# success after the last, or the name and the last words of the one that failed.
set -u
umask 077
MAGNUM_ROOT=${MAGNUM_ROOT:-}
export MAGNUM_ROOT
MAGNUM_DIR=$MAGNUM_ROOT/var/lib/magnum
MAGNUM_LIB=$MAGNUM_DIR/lib.sh
export MAGNUM_LIB
logs=$MAGNUM_ROOT/var/log/magnum
mkdir -p "$MAGNUM_DIR/step" "$MAGNUM_DIR/service" "$logs"

cat >"$MAGNUM_LIB" <<'END-OF-lib'
# shellcheck shell=sh
# What every step and service of a node shares. Values come from
# /etc/magnum/params, a file each, so that none is ever parsed as shell.
# MAGNUM_ROOT stands before every path; tests set it.

root=${MAGNUM_ROOT:-}

# param NAME: a value, empty if there is none.
param() {
    cat "$root/etc/magnum/params/$1" 2>/dev/null || :
}

# is_true NAME: whether a value says yes.
is_true() {
    case $(param "$1" | tr '[:upper:]' '[:lower:]') in
    1 | t | true | y | yes | on) return 0 ;;
    esac
    return 1
}

# retry TRIES PAUSE COMMAND...: until it succeeds. As in any condition, sh does
# not stop at the first error inside the command: it has to return its own.
retry() {
    tries=$1 pause=$2
    shift 2
    while ! "$@"; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "gave up on: $1" >&2
            return 1
        fi
        sleep "${MAGNUM_PAUSE:-$pause}"
    done
}

# image NAME PREFIX TAG: container_infra_prefix goes before PREFIX.
image() {
    prefix=$(param container_infra_prefix)
    echo "${prefix:-$2}$1:$3"
}

# node_name: the server's name as a host may have it, which is what Nova makes of
# it too.
node_name() {
    param name | tr '[:upper:]_' '[:lower:]-'
}

# json: standard input as the inside of a JSON string.
json() {
    LC_ALL=C tr -c '[:print:]' ' ' | sed 's/[\\"]/\\&/g'
}

# http CONFIG [OPTION...]: curl, told what is secret by a file that only root
# can read, never by its arguments.
http() {
    config=$1
    shift
    if is_true verify_ca; then
        set -- "$@" --silent
    else
        set -- "$@" --silent --insecure
    fi
    curl "$@" --show-error --fail --max-time 60 --config "$config"
}

# trusted: the file with all that the node trusts, for containers to trust too.
trusted() {
    if [ -e "$root/etc/pki/tls/certs/ca-bundle.crt" ]; then
        echo /etc/pki/tls/certs/ca-bundle.crt
    else
        echo /etc/ssl/certs/ca-certificates.crt
    fi
}

# unit NAME DESCRIPTION [AFTER]: a systemd unit for the service script of that
# name, started and enabled. The script is given to sh, because a confined
# systemd may not run files of these folders itself.
unit() {
    mkdir -p "$root/etc/systemd/system"
    cat >"$root/etc/systemd/system/$1.service" <<END
[Unit]
Description=$2
Wants=network-online.target
After=network-online.target ${3:-}

[Service]
ExecStart=/bin/sh /var/lib/magnum/service/$1.sh
ExecStop=/usr/bin/$engine stop --time 20 $1
Restart=always
RestartSec=10
TimeoutStartSec=0

[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable "$1"
    systemctl restart "$1"
}

# volume ID: the device of an attached Cinder volume, which shows the first 20
# letters of its id as its serial number. It may take a while to appear.
volume() {
    serial=$(echo "$1" | cut -c 1-20)
    retry 60 5 device_of "$serial" >/dev/null
    device_of "$serial"
}

device_of() {
    for dev in "$root"/dev/disk/by-id/*"$1"; do
        if [ -e "$dev" ]; then
            readlink -f "$dev"
            return 0
        fi
    done
    return 1
}

# mount_volume DEVICE FOLDER: for this boot and the next ones. A volume that has
# a file system keeps it; another gets xfs, where the image can make that.
mount_volume() {
    if [ -z "$(blkid -s TYPE -o value "$1" || :)" ]; then
        if command -v mkfs.xfs >/dev/null; then
            mkfs.xfs -n ftype=1 "$1"
        else
            mkfs.ext4 -q "$1"
        fi
    fi
    mkdir -p "$2"
    echo "UUID=$(blkid -s UUID -o value "$1") $2 auto defaults,nofail 0 2" >>"$root/etc/fstab"
    mount "$1" "$2"
    if command -v restorecon >/dev/null; then # SELinux
        restorecon -R "$2"
    fi
}

# The rest is what a distribution, a COE or a driver has otherwise; files after
# this one replace it.

# engine is what runs containers: podman or docker.
engine=podman
# pki is the folder with the authorities that the node trusts.
# shellcheck disable=SC2034 # services read it
pki=/etc/pki
# resolver is the file with the name servers that pods are to use.
# shellcheck disable=SC2034 # services read it
resolver=/etc/resolv.conf

# inside: what no proxy must see besides the node itself, each with a comma before.
inside() {
    :
}

# etcd_options: further lines of etcd's configuration.
etcd_options() {
    :
}

# daemon_options: further members of docker's daemon.json, each with a comma
# before.
daemon_options() {
    :
}

# shellcheck shell=sh
# Keys are made on the node and never leave it; certificates come from Magnum,
# which is asked as the cluster's trustee. What is secret goes through files of
# root. $certs, which a later file sets, is where keys and certificates lie.

# login: comes before the others, in the same step.
login() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/magnum.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # shellcheck disable=SC2154 # certs: see above
    mkdir -p "$certs"
    retry 30 10 token
}

token() {
    cat >"$work/login.json" <<END
{"auth": {"identity": {"methods": ["password"], "password": {"user": {
  "id": "$(param trustee_user_id | json)", "password": "$(param trustee_password | json)"}}}}}
END
    cat >"$work/login.conf" <<END
url = "$(param auth_url)/auth/tokens?nocatalog"
request = "POST"
header = "Content-Type: application/json"
data-binary = "@$work/login.json"
dump-header = "$work/headers"
output = "/dev/null"
END
    http "$work/login.conf" || return 1
    token=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: *//p')
    [ -n "$token" ]
}

# magnum URL [BODY]: a request to Magnum; the answer's certificate is printed.
magnum() {
    cat >"$work/magnum.conf" <<END
url = "$1"
header = "X-Auth-Token: $token"
header = "OpenStack-API-Version: container-infra latest"
header = "Content-Type: application/json"
output = "$work/answer"
END
    if [ -n "${2:-}" ]; then
        echo "data-binary = \"@$2\"" >>"$work/magnum.conf"
    fi
    rm -f "$work/answer"
    http "$work/magnum.conf" || return 1
    pem=$(sed -n 's/.*"pem": *"\([^"]*\)".*/\1/p' "$work/answer")
    [ -n "$pem" ] || return 1
    printf '%b\n' "$pem"
}

# answered FILE COMMAND...: its output, once it has any, so that an answer cut
# short never lies there as a certificate.
answered() {
    file=$1
    shift
    "$@" >"$work/out" && mv "$work/out" "$file"
}

# authority FILE [TYPE]: a CA's certificate.
authority() {
    retry 30 10 answered "$certs/$1" \
        magnum "$(param magnum_url)/certificates/$(param cluster_uuid)${2:+?ca_cert_type=$2}"
}

# certificate FILE TYPE CN O SAN: a key and a certificate for it.
certificate() {
    cat >"$work/csr.conf" <<END
[req]
prompt = no
distinguished_name = who
req_extensions = what
[who]
CN = $3
${4:+O = $4}
[what]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth, serverAuth
${5:+subjectAltName = $5}
END
    openssl req -new -newkey rsa:2048 -nodes -config "$work/csr.conf" \
        -keyout "$certs/$1.key" -out "$work/csr.pem" 2>"$work/openssl.log" ||
        { cat "$work/openssl.log" >&2; return 1; }
    kind=
    if [ -n "$2" ]; then
        kind=", \"ca_cert_type\": \"$2\""
    fi
    printf '{"cluster_uuid": "%s", "csr": "%s"%s}' "$(param cluster_uuid)" \
        "$(awk '{printf "%s\\n", $0}' "$work/csr.pem")" "$kind" >"$work/body.json"
    retry 30 10 answered "$certs/$1.crt" \
        magnum "$(param magnum_url)/certificates" "$work/body.json"
}

# names PREFIX VALUE...: subject alternative names, without empty and double ones.
names() {
    prefix=$1
    shift
    for one in "$@"; do
        if [ -n "$one" ]; then
            echo "$prefix:$one"
        fi
    done
}
join() {
    sort -u | paste -sd , -
}

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

# shellcheck shell=sh disable=SC2034,SC2154
# Fedora CoreOS has podman, which runs the services, and docker, which runs pods.
engine=podman
# A stub that answers on 127.0.0.53 would send the cluster's name servers to
# themselves; this file has the servers behind it.
if [ -e "$root/run/systemd/resolve/resolv.conf" ]; then
    resolver=/run/systemd/resolve/resolv.conf
fi

# daemon_options: kubelet reads pods' logs from files, and Fedora has docker's
# proxy where docker does not look for it.
daemon_options() {
    printf ', "log-driver": "json-file", "userland-proxy": false'
}

END-OF-lib
# shellcheck source=lib.sh
. "$MAGNUM_LIB"

# signal STATUS REASON: to the node's wait condition, for as long as Heat may
# need to come back.
signal() {
    body=$MAGNUM_DIR/signal.json
    printf '{"status": "%s", "reason": "%s", "id": "%s", "data": ""}' \
        "$1" "$(printf %s "$2" | json)" "$(param name)" >"$body"
    cat >"$MAGNUM_DIR/signal.conf" <<END
url = "$(param wait_endpoint)"
request = "POST"
header = "X-Auth-Token: $(param wait_token)"
header = "Content-Type: application/json"
data-binary = "@$body"
output = "/dev/null"
END
    retry 30 10 http "$MAGNUM_DIR/signal.conf"
    rm -f "$MAGNUM_DIR/signal.conf" "$body"
}

# step NAME: runs its standard input.
step() {
    cat >"$MAGNUM_DIR/step/$1.sh"
    echo "step $1"
    if ! sh -eu "$MAGNUM_DIR/step/$1.sh" >"$logs/$1.log" 2>&1 </dev/null; then
        words=$(tail -n 8 "$logs/$1.log" | tail -c 400)
        echo "step $1 failed: $words" >&2
        signal FAILURE "$(param name): step $1 failed: $words"
        exit 1
    fi
}

cat >"$MAGNUM_DIR/service/kubelet.sh" <<'END-OF-kubelet'
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
END-OF-kubelet

cat >"$MAGNUM_DIR/service/kube-proxy.sh" <<'END-OF-kube-proxy'
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
END-OF-kube-proxy

step 005-cgroups <<'END-OF-005-cgroups'
#!/bin/sh
# Tells of an image that kubelet of these versions cannot run on, at once and not
# as a node that never becomes ready.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -e "$root/sys/fs/cgroup/cgroup.controllers" ]; then
    echo "this image has cgroups v2, which Kubernetes $(param kube_tag) does not know; use one with v1, or systemd.unified_cgroup_hierarchy=0" >&2
    exit 1
fi
END-OF-005-cgroups

step 010-selinux <<'END-OF-010-selinux'
#!/bin/sh
# SELinux as the label selinux_mode says. "disabled" can only be had by a
# reboot; until then it is permissive.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mode=$(param selinux_mode)
sed -i "s/^SELINUX=.*/SELINUX=$mode/" "$root/etc/selinux/config"
case $mode in
enforcing) setenforce 1 ;;
*) setenforce 0 || : ;;
esac
END-OF-010-selinux

step 045-docker-unit <<'END-OF-045-docker-unit'
#!/bin/sh
# docker's options are in daemon.json. Those of Fedora's unit and of its files in
# /etc/sysconfig are in the way: docker does not start when it has one twice.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/systemd/system/docker.service.d"
cat >"$root/etc/systemd/system/docker.service.d/50-magnum.conf" <<'END'
[Service]
ExecStart=
ExecStart=/usr/bin/dockerd --host=fd://
END
END-OF-045-docker-unit

step 050-docker <<'END-OF-050-docker'
#!/bin/sh
# docker as /etc/docker/daemon.json tells it: with its volume, the storage driver
# and the registry without TLS that were asked for, and what a driver adds.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
systemctl stop docker || :
id=$(param docker_volume)
if [ -n "$id" ]; then
    dev=$(volume "$id")
    mount_volume "$dev" "$root/var/lib/docker"
fi
mkdir -p "$root/etc/docker"
{
    printf '{"storage-driver": "%s"' "$(param docker_storage_driver)"
    if [ -n "$(param insecure_registry_url)" ]; then
        printf ', "insecure-registries": ["%s"]' "$(param insecure_registry_url | json)"
    fi
    if [ -n "$(param cgroup_driver)" ]; then
        printf ', "exec-opts": ["native.cgroupdriver=%s"]' "$(param cgroup_driver)"
    fi
    daemon_options
    echo '}'
} >"$root/etc/docker/daemon.json"
systemctl daemon-reload
systemctl enable docker
systemctl restart docker
docker info >/dev/null
END-OF-050-docker

step 060-certificates <<'END-OF-060-certificates'
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
END-OF-060-certificates

step 200-kubelet <<'END-OF-200-kubelet'
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
END-OF-200-kubelet

step 900-ready <<'END-OF-900-ready'
#!/bin/sh
# Waits until the API server calls this node ready, with its own credentials.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
name=$(node_name)
server=$(sed -n 's/^ *server: //p' "$root/etc/kubernetes/kubelet.conf")
ready() {
    curl --silent --fail --max-time 10 --cacert "$certs/ca.crt" \
        --cert "$certs/kubelet.crt" --key "$certs/kubelet.key" \
        "$server/api/v1/nodes/$name" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'
}
retry 180 10 ready || {
    journalctl --no-pager --lines 4 --output cat --unit kubelet
    exit 1
}
if [ "$(param role)" = master ]; then
    kubectl label node "$name" --overwrite node-role.kubernetes.io/master=
fi
END-OF-900-ready

: >"$MAGNUM_DIR/done"
signal SUCCESS "$(param name) is ready"

