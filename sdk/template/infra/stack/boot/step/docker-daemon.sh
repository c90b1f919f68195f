#!/bin/sh
# docker as /etc/docker/daemon.json tells it: with its volume, the storage driver
# and the registry without TLS that were asked for, and what a driver adds.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
systemctl stop docker || :
id=$(param docker_volume)
if [ -n "$id" ]; then
    dev=$(volume "$id")
    mount_volume "$dev" "$root/var/lib/docker"
fi
registry=$(param insecure_registry_url | json)
cgroups=$(param cgroup_driver)
mkdir -p "$root/etc/docker"
cat >"$root/etc/docker/daemon.json" <<END
{"storage-driver": "$(param docker_storage_driver)"
${registry:+, "insecure-registries": ["$registry"]}
${cgroups:+, "exec-opts": ["native.cgroupdriver=$cgroups"]}
$(daemon_options)}
END
systemctl daemon-reload
systemctl enable docker
systemctl restart docker
docker info >/dev/null
