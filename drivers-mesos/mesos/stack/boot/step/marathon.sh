#!/bin/sh
# Marathon, one on each master, of which one leads.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
systemctl stop marathon || :
address=$(param address)
(umask 022 && mkdir -p "$root/etc/default")
{
    # Else it may take the address that the host's name has on the host itself.
    echo "LIBPROCESS_IP=$address"
    # Up to 1.4 it reads a folder as Mesos does, from 1.5 on its environment.
    # It must not be told twice.
    if grep -q /etc/marathon/conf "$(command -v marathon)"; then
        option marathon/conf hostname "$address"
        option marathon/conf master "$(zk mesos)"
        option marathon/conf zk "$(zk marathon)"
    else
        echo "MARATHON_HOSTNAME=$address"
        echo "MARATHON_MASTER=$(zk mesos)"
        echo "MARATHON_ZK=$(zk marathon)"
    fi
} >"$root/etc/default/marathon"
chmod 0644 "$root/etc/default/marathon"
present marathon
