#!/bin/sh
# Proxies for everything that fetches images, and for people who log in.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -z "$(param http_proxy)$(param https_proxy)" ]; then
    exit 0
fi
# Nothing inside the cluster goes through a proxy.
none() {
    param no_proxy
    echo ",localhost,127.0.0.1$(inside)"
}

# Values stand between double quotes, in which sh and systemd have their own
# special letters.
for_sh() {
    tr -d '\n' | sed 's/[\\"$`]/\\&/g'
}
for_systemd() {
    tr -d '\n' | sed 's/[\\"]/\\&/g; s/%/%%/g'
}
mkdir -p "$root/etc/systemd/system.conf.d" "$root/etc/profile.d"
{
    echo '[Manager]'
    printf 'DefaultEnvironment='
    for name in http_proxy HTTP_PROXY; do
        printf '"%s=%s" ' $name "$(param http_proxy | for_systemd)"
    done
    for name in https_proxy HTTPS_PROXY; do
        printf '"%s=%s" ' $name "$(param https_proxy | for_systemd)"
    done
    for name in no_proxy NO_PROXY; do
        printf '"%s=%s" ' $name "$(none | for_systemd)"
    done
    echo
} >"$root/etc/systemd/system.conf.d/magnum-proxy.conf"
cat >"$root/etc/profile.d/magnum-proxy.sh" <<END
export HTTP_PROXY="$(param http_proxy | for_sh)" HTTPS_PROXY="$(param https_proxy | for_sh)" NO_PROXY="$(none | for_sh)"
export http_proxy="\$HTTP_PROXY" https_proxy="\$HTTPS_PROXY" no_proxy="\$NO_PROXY"
END
chmod 0644 "$root/etc/systemd/system.conf.d/magnum-proxy.conf" "$root/etc/profile.d/magnum-proxy.sh"
systemctl daemon-reexec
