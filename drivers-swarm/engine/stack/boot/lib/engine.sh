# shellcheck shell=sh
# docker is both what runs containers and what the cluster is made of.
# shellcheck disable=SC2034 # services read it
engine=docker
# shellcheck disable=SC2034,SC2154 # see certificate.sh; root is lib.sh's
certs=$root/etc/docker

# Engines speak to the managers, and do not take a proxy for that. Old ones know
# no subnets here.
inside() {
    for one in $(param master_addresses) $(param address); do
        printf ',%s' "$one"
    done
}

# ask ADDRESS:PORT PATH: an API of the cluster, over TLS if the cluster has that.
ask() {
    target=$1$2
    set -- --silent --show-error --fail --noproxy '*' --connect-timeout 5 --max-time 30
    if is_true tls_disabled; then
        curl "$@" "http://$target"
    else
        curl "$@" --cacert "$certs/ca.crt" --cert "$certs/server.crt" --key "$certs/server.key" "https://$target"
    fi
}

# more_certificates: what a driver's nodes need besides that of their engine, for
# the names in $own.
more_certificates() {
    :
}

# engine_labels, engine_serves: members of docker's daemon.json, see
# daemon_options: for those who place containers, and for an engine that others
# ask.
engine_labels() {
    printf ', "labels": ["org.openstack.magnum.role=%s", "org.openstack.magnum.nodegroup=%s"]' \
        "$(param nodegroup_role | json)" "$(param nodegroup_name | json)"
}

engine_serves() {
    printf ', "hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]'
    if is_true tls_disabled; then
        # Said and not left out: newer engines refuse or delay what looks like
        # an oversight.
        printf ', "tls": false'
    else
        printf ', "tlsverify": true, "tlscacert": "/etc/docker/ca.crt", "tlscert": "/etc/docker/server.crt", "tlskey": "/etc/docker/server.key"'
    fi
}

# write_daemon: what docker of Fedora Atomic is told by its own file; the rest is
# in the system's.
write_daemon() {
    printf '{%s}\n' "$(daemon_options | sed '1s/^, *//')" >"$root/etc/docker/daemon.json"
}
