#!/bin/sh
# The cloud's own CA joins those that the node trusts.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -z "$(param openstack_ca)" ]; then
    exit 0
fi
# install_ca FOLDER FILE: writes it for the program that reads the folder.
install_ca() {
    mkdir -p "$root/$1"
    param openstack_ca >"$root/$1/$2"
    chmod 0644 "$root/$1/$2"
}
if command -v update-ca-trust >/dev/null; then # Fedora
    install_ca etc/pki/ca-trust/source/anchors openstack-ca.pem
    update-ca-trust
elif [ -d "$root/usr/local/share/ca-certificates" ]; then # Debian, Ubuntu
    install_ca usr/local/share/ca-certificates openstack-ca.crt
    update-ca-certificates
else # CoreOS
    install_ca etc/ssl/certs openstack-ca.pem
    update-ca-certificates
fi
