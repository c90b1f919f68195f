#!/bin/sh
# docker of Fedora Atomic, with the storage and the cgroup driver that were asked
# for. docker-daemon.sh is for the others.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
systemctl stop docker || :
driver=$(param docker_storage_driver)
id=$(param docker_volume)
mkdir -p "$root/etc/sysconfig"
setup=$root/etc/sysconfig/docker-storage-setup

if [ -n "$id" ] && [ "$driver" = devicemapper ]; then
    dev=$(volume "$id")
    rm -rf "$root"/var/lib/docker/*
    printf 'STORAGE_DRIVER=devicemapper\nDEVS=%s\nVG=docker\n' "$dev" >"$setup"
    docker-storage-setup
else
    if [ -n "$id" ]; then
        dev=$(volume "$id")
        mount_volume "$dev" "$root/var/lib/docker"
    fi
    # What else the image set up, such as the size of its root, stays.
    touch "$setup"
    sed -i '/^STORAGE_DRIVER=/d' "$setup"
    echo "STORAGE_DRIVER=$driver" >>"$setup"
    echo "DOCKER_STORAGE_OPTIONS=\"--storage-driver $driver\"" >"$root/etc/sysconfig/docker-storage"
fi

cgroups=$(param cgroup_driver)
if [ -n "$cgroups" ]; then
    mkdir -p "$root/etc/systemd/system"
    sed "s/native\.cgroupdriver=[a-z]*/native.cgroupdriver=$cgroups/" \
        "$root/usr/lib/systemd/system/docker.service" >"$root/etc/systemd/system/docker.service"
fi
systemctl daemon-reload
systemctl enable docker
systemctl restart docker
# kubelet refuses a docker whose cgroup driver is not its own.
have=$(docker info --format '{{.CgroupDriver}}')
if [ -n "$cgroups" ] && [ "$have" != "$cgroups" ]; then
    echo "docker's cgroup driver is $have and not $cgroups" >&2
    exit 1
fi
