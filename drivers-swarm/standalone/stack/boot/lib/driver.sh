# shellcheck shell=sh
# Who is in the cluster is in etcd on the masters, which managers, workers' agents,
# engines and flannel ask, each by the old version of its API.

etcd_options() {
    echo 'enable-v2: true'
}

more_certificates() {
    authority etcd-ca.crt etcd
    # shellcheck disable=SC2154 # own is the step's
    certificate etcd etcd "$(node_name)" '' "$own"
}

# etcd_addresses PREFIX: those of all masters, with commas between.
etcd_addresses() {
    all=
    for one in $(param master_addresses); do
        all=${all:+$all,}$1$one:2379
    done
    echo "$all"
}

# discovery: where Swarm and engines find each other.
discovery() {
    echo "etcd://$(etcd_addresses '')/swarm"
}

# with_etcd PREFIX CA CERTIFICATE KEY: the options by which a program is told how
# to speak to etcd with TLS, a line each.
with_etcd() {
    if ! is_true tls_disabled; then
        printf '%s\n' "$1$2=/etc/docker/etcd-ca.crt" "$1$3=/etc/docker/etcd.crt" "$1$4=/etc/docker/etcd.key"
    fi
}

# etcd_key PATH [OPTION...]: a key of etcd, from the first master that answers.
etcd_key() {
    key=$1
    shift
    set -- --silent --show-error --fail --noproxy '*' --connect-timeout 5 --max-time 30 "$@"
    scheme=http
    if ! is_true tls_disabled; then
        scheme=https
        # shellcheck disable=SC2154 # certs: see certificate.sh
        set -- "$@" --cacert "$certs/etcd-ca.crt" --cert "$certs/etcd.crt" --key "$certs/etcd.key"
    fi
    for one in $(param master_addresses); do
        curl "$@" "$scheme://$one:2379/v2/keys/$key" && return 0
    done
    return 1
}

# Masters run no containers but the cluster's own, so their engines are nobody's
# business. Those of workers are the managers', and of each other where they make
# the networks of containers; with flannel they are told their part of its network
# as soon as it is known.
# shellcheck disable=SC2154 # root is lib.sh's
lease=$root/var/lib/flannel/subnet.env
daemon_options() {
    engine_labels
    if [ "$(param role)" = master ]; then
        return 0
    fi
    engine_serves
    if [ "$(param network_driver)" = docker ]; then
        printf ', "cluster-store": "%s", "cluster-advertise": "%s:2375"' "$(discovery)" "$(param address)"
        if ! is_true tls_disabled; then
            printf ', "cluster-store-opts": {"kv.cacertfile": "/etc/docker/etcd-ca.crt", "kv.certfile": "/etc/docker/etcd.crt", "kv.keyfile": "/etc/docker/etcd.key"}'
        fi
    elif [ -s "$lease" ]; then
        # Packets to other nodes keep their containers' addresses: flannel sees to
        # those that leave the cluster.
        printf ', "bip": "%s", "mtu": %s, "ip-masq": false' \
            "$(sed -n 's/^FLANNEL_SUBNET=//p' "$lease")" "$(sed -n 's/^FLANNEL_MTU=//p' "$lease")"
    fi
}
