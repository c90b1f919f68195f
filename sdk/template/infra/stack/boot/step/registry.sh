#!/bin/sh
# A registry without TLS that docker and podman may use all the same.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
url=$(param insecure_registry_url)
mkdir -p "$root/etc/containers" "$root/etc/sysconfig"
cat >"$root/etc/containers/registries.conf" <<END
[registries.search]
registries = ['docker.io']

[registries.insecure]
registries = ['$url']

[registries.block]
registries = []
END
chmod 0644 "$root/etc/containers/registries.conf"
touch "$root/etc/sysconfig/docker"
sed -i '/^INSECURE_REGISTRY=/d' "$root/etc/sysconfig/docker"
echo "INSECURE_REGISTRY='--insecure-registry $url'" >>"$root/etc/sysconfig/docker"
