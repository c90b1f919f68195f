#!/bin/sh
# What Calico wants of a node before it comes: that nobody else sets up the
# interfaces of pods, and that packets are not taken from where no answer would go.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/NetworkManager/conf.d" "$root/etc/systemd/network" "$root/etc/sysctl.d"
cat >"$root/etc/NetworkManager/conf.d/calico.conf" <<END
[keyfile]
unmanaged-devices=interface-name:cali*;interface-name:tunl*
END
cat >"$root/etc/systemd/network/10-calico.network" <<END
[Match]
Name=cali* tunl*

[Link]
Unmanaged=yes
END
chmod 0644 "$root/etc/NetworkManager/conf.d/calico.conf" "$root/etc/systemd/network/10-calico.network"
for service in NetworkManager systemd-networkd; do
    if systemctl is-active --quiet "$service"; then
        systemctl reload-or-restart "$service"
    fi
done
echo "net.ipv4.conf.all.rp_filter = 1" >"$root/etc/sysctl.d/91-calico.conf"
sysctl --load "$root/etc/sysctl.d/91-calico.conf"
