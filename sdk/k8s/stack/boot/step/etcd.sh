#!/bin/sh
# etcd, whose members are the masters' addresses: nobody has to be asked.
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
members=
for one in $(param master_addresses); do
    members=${members:+$members,}$one=https://$one:2380
done
cat >"$root/etc/etcd/etcd.yaml" <<END
name: $address
data-dir: /var/lib/etcd/data
listen-client-urls: https://$address:2379,https://127.0.0.1:2379
advertise-client-urls: https://$address:2379
listen-peer-urls: https://$address:2380
initial-advertise-peer-urls: https://$address:2380
initial-cluster: $members
initial-cluster-state: new
initial-cluster-token: $(param cluster_uuid)
client-transport-security:
  client-cert-auth: true
  trusted-ca-file: /etc/kubernetes/certs/etcd-ca.crt
  cert-file: /etc/kubernetes/certs/etcd.crt
  key-file: /etc/kubernetes/certs/etcd.key
peer-transport-security:
  client-cert-auth: true
  trusted-ca-file: /etc/kubernetes/certs/etcd-ca.crt
  cert-file: /etc/kubernetes/certs/etcd.crt
  key-file: /etc/kubernetes/certs/etcd.key
END
unit etcd "etcd"
