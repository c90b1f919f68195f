# shellcheck shell=sh disable=SC2034,SC2154
# CoreOS Container Linux has docker alone, and a /usr that cannot be written to.
engine=docker
# Without an authority of the cloud's own the bundle in /etc is a link to that in
# /usr, which leads nowhere in a container.
pki=/usr/share/ca-certificates
if [ -n "$(param openstack_ca)" ]; then
    pki=/etc/ssl/certs
fi
resolver=/run/systemd/resolve/resolv.conf
