#!/bin/sh
# The cloud's own CA joins those that the node trusts.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -n "$(param openstack_ca)" ]; then
    anchors=$root/etc/pki/ca-trust/source/anchors
    mkdir -p "$anchors"
    param openstack_ca >"$anchors/openstack-ca.pem"
    chmod 0644 "$anchors/openstack-ca.pem"
    update-ca-trust
fi
