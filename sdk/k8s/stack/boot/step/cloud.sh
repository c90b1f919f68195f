#!/bin/sh
# How Kubernetes speaks to the cloud, as the cluster's user: for Cinder volumes of
# pods.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -z "$(param trust_id)" ]; then
    echo "Cinder volumes need a trust: the operator has to set [trust] cluster_user_trust" >&2
    exit 1
fi
mkdir -p "$root/etc/kubernetes"
cat >"$root/etc/kubernetes/cloud-config" <<END
[Global]
auth-url = "$(param auth_url | json)"
region = "$(param region_name | json)"
user-id = "$(param trustee_user_id | json)"
password = "$(param trustee_password | json)"
trust-id = "$(param trust_id | json)"
END
if [ -n "$(param openstack_ca)" ]; then
    param openstack_ca >"$root/etc/kubernetes/openstack-ca.pem"
    echo 'ca-file = "/etc/kubernetes/openstack-ca.pem"' >>"$root/etc/kubernetes/cloud-config"
fi
# A pod may run in another availability zone than its volume's name says.
printf '\n[BlockStorage]\nignore-volume-az = true\n' >>"$root/etc/kubernetes/cloud-config"
