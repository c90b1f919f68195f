#!/bin/sh
# etcd, whose members are the masters' addresses: nobody has to be asked. A user
# who wants it so has a discovery service asked all the same.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
data=$root/var/lib/etcd
mkdir -p "$data" "$root/etc/etcd"
id=$(param etcd_volume)
if [ -n "$id" ]; then
    dev=$(volume "$id")
    mount_volume "$dev" "$data"
fi
chmod 0700 "$data"

address=$(param address)
scheme=https
if is_true tls_disabled; then
    scheme=http
fi
{
    cat <<END
name: $address
data-dir: /var/lib/etcd/data
listen-client-urls: $scheme://$address:2379,$scheme://127.0.0.1:2379
advertise-client-urls: $scheme://$address:2379
listen-peer-urls: $scheme://$address:2380
initial-advertise-peer-urls: $scheme://$address:2380
END
    if [ -n "$(param discovery_url)" ]; then
        printf 'discovery: "%s"\ndiscovery-proxy: "%s"\n' "$(param discovery_url | json)" "$(param http_proxy | json)"
    else
        members=
        for one in $(param master_addresses); do
            members=${members:+$members,}$one=$scheme://$one:2380
        done
        echo "initial-cluster: $members"
    fi
    echo 'initial-cluster-state: new'
    echo "initial-cluster-token: $(param cluster_uuid)"
    if [ $scheme = https ]; then
        for side in client peer; do
            # shellcheck disable=SC2154 # certs: see certificate.sh
            cat <<END
$side-transport-security:
  client-cert-auth: true
  trusted-ca-file: ${certs#"$root"}/etcd-ca.crt
  cert-file: ${certs#"$root"}/etcd.crt
  key-file: ${certs#"$root"}/etcd.key
END
        done
    fi
    etcd_options
} >"$root/etc/etcd/etcd.yaml"
unit etcd "etcd"
