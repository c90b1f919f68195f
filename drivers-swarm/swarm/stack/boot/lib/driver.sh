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

# Managers serve the API to the cluster and its users; of a worker it is the
# worker's own.
daemon_options() {
    printf ', "labels": ["org.openstack.magnum.role=%s", "org.openstack.magnum.nodegroup=%s"]' \
        "$(param nodegroup_role | json)" "$(param nodegroup_name | json)"
    if [ "$(param role)" != master ]; then
        return 0
    fi
    printf ', "hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]'
    if is_true tls_disabled; then
        # Said and not left out: newer engines refuse or delay what looks like
        # an oversight.
        printf ', "tls": false'
    else
        printf ', "tlsverify": true, "tlscacert": "/etc/docker/ca.crt", "tlscert": "/etc/docker/server.crt", "tlskey": "/etc/docker/server.key"'
    fi
}
