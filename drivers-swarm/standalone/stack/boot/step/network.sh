#!/bin/sh
# What flannel on the workers is told by etcd, from the first master.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param index)" != 0 ]; then
    exit 0
fi
work=$(mktemp "${TMPDIR:-/tmp}/magnum.XXXXXX")
trap 'rm -f "$work"' EXIT
cat >"$work" <<END
{"Network": "$(param flannel_network_cidr)",
 "SubnetLen": $(param flannel_network_subnetlen),
 "Backend": {"Type": "$(param flannel_backend)"}}
END
configure() {
    etcd_key coreos.com/network/config --request PUT --data-urlencode "value@$work" >/dev/null
}
retry 180 10 configure
