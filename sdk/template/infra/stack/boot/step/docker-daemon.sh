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
mkdir -p "$root/etc/docker"
{
    printf '{"storage-driver": "%s"' "$(param docker_storage_driver)"
    if [ -n "$(param insecure_registry_url)" ]; then
        printf ', "insecure-registries": ["%s"]' "$(param insecure_registry_url | json)"
    fi
    if [ -n "$(param cgroup_driver)" ]; then
        printf ', "exec-opts": ["native.cgroupdriver=%s"]' "$(param cgroup_driver)"
    fi
    daemon_options
    echo '}'
} >"$root/etc/docker/daemon.json"
systemctl daemon-reload
systemctl enable docker
systemctl restart docker
docker info >/dev/null
