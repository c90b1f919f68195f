#!/bin/sh
# Runs the steps of this node one after the other and tells Heat how it went:
# success after the last, or the name and the last words of the one that failed.
set -u
umask 077
MAGNUM_ROOT=${MAGNUM_ROOT:-}
export MAGNUM_ROOT
MAGNUM_DIR=$MAGNUM_ROOT/var/lib/magnum
MAGNUM_LIB=$MAGNUM_DIR/lib.sh
export MAGNUM_LIB
logs=$MAGNUM_ROOT/var/log/magnum
mkdir -p "$MAGNUM_DIR/step" "$MAGNUM_DIR/service" "$logs"

cat >"$MAGNUM_LIB" <<'END-OF-lib'
# shellcheck shell=sh
# What every step and service of a node shares. Values come from
# /etc/magnum/params, a file each, so that none is ever parsed as shell.
# MAGNUM_ROOT stands before every path; tests set it.

root=${MAGNUM_ROOT:-}

# param NAME: a value, empty if there is none.
param() {
    cat "$root/etc/magnum/params/$1" 2>/dev/null || :
}

# is_true NAME: whether a value says yes.
is_true() {
    case $(param "$1" | tr '[:upper:]' '[:lower:]') in
    1 | t | true | y | yes | on) return 0 ;;
    esac
    return 1
}

# retry TRIES PAUSE COMMAND...: until it succeeds. As in any condition, sh does
# not stop at the first error inside the command: it has to return its own.
retry() {
    tries=$1 pause=$2
    shift 2
    while ! "$@"; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            echo "gave up on: $1" >&2
            return 1
        fi
        sleep "${MAGNUM_PAUSE:-$pause}"
    done
}

# image NAME PREFIX TAG: container_infra_prefix goes before PREFIX.
image() {
    prefix=$(param container_infra_prefix)
    echo "${prefix:-$2}$1:$3"
}

# node_name: the server's name as a host may have it, which is what Nova makes of
# it too.
node_name() {
    param name | tr '[:upper:]_' '[:lower:]-'
}

# json: standard input as the inside of a JSON string.
json() {
    LC_ALL=C tr -c '[:print:]' ' ' | sed 's/[\\"]/\\&/g'
}

# http CONFIG [OPTION...]: curl, told what is secret by a file that only root
# can read, never by its arguments.
http() {
    config=$1
    shift
    if is_true verify_ca; then
        set -- "$@" --silent
    else
        set -- "$@" --silent --insecure
    fi
    curl "$@" --show-error --fail --max-time 60 --config "$config"
}

# trusted: the file with all that the node trusts, for containers to trust too.
trusted() {
    if [ -e "$root/etc/pki/tls/certs/ca-bundle.crt" ]; then
        echo /etc/pki/tls/certs/ca-bundle.crt
    else
        echo /etc/ssl/certs/ca-certificates.crt
    fi
}

# unit NAME DESCRIPTION [AFTER]: a systemd unit for the service script of that
# name, started and enabled. The script is given to sh, because a confined
# systemd may not run files of these folders itself.
unit() {
    mkdir -p "$root/etc/systemd/system"
    cat >"$root/etc/systemd/system/$1.service" <<END
[Unit]
Description=$2
Wants=network-online.target
After=network-online.target ${3:-}

[Service]
ExecStart=/bin/sh /var/lib/magnum/service/$1.sh
ExecStop=/usr/bin/$engine stop --time 20 $1
Restart=always
RestartSec=10
TimeoutStartSec=0

[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable "$1"
    systemctl restart "$1"
}

# volume ID: the device of an attached Cinder volume, which shows the first 20
# letters of its id as its serial number. It may take a while to appear.
volume() {
    serial=$(echo "$1" | cut -c 1-20)
    retry 60 5 device_of "$serial" >/dev/null
    device_of "$serial"
}

device_of() {
    for dev in "$root"/dev/disk/by-id/*"$1"; do
        if [ -e "$dev" ]; then
            readlink -f "$dev"
            return 0
        fi
    done
    return 1
}

# mount_volume DEVICE FOLDER: for this boot and the next ones. A volume that has
# a file system keeps it; another gets xfs, where the image can make that.
mount_volume() {
    if [ -z "$(blkid -s TYPE -o value "$1" || :)" ]; then
        if command -v mkfs.xfs >/dev/null; then
            mkfs.xfs -n ftype=1 "$1"
        else
            mkfs.ext4 -q "$1"
        fi
    fi
    mkdir -p "$2"
    echo "UUID=$(blkid -s UUID -o value "$1") $2 auto defaults,nofail 0 2" >>"$root/etc/fstab"
    mount "$1" "$2"
    if command -v restorecon >/dev/null; then # SELinux
        restorecon -R "$2"
    fi
}

# The rest is what a distribution, a COE or a driver has otherwise; files after
# this one replace it.

# engine is what runs containers: podman or docker.
engine=podman
# pki is the folder with the authorities that the node trusts.
# shellcheck disable=SC2034 # services read it
pki=/etc/pki
# resolver is the file with the name servers that pods are to use.
# shellcheck disable=SC2034 # services read it
resolver=/etc/resolv.conf

# inside: what no proxy must see besides the node itself, each with a comma before.
inside() {
    :
}

# etcd_options: further lines of etcd's configuration.
etcd_options() {
    :
}

# daemon_options: further members of docker's daemon.json, each with a comma
# before.
daemon_options() {
    :
}

# shellcheck shell=sh
# shellcheck disable=SC2154 # for the file before this one
# Mesos as the packages of its makers set it up: an option for each file of a
# folder, whose content is the option's value.

# What runs the containers of units.
# shellcheck disable=SC2034 # see unit
engine=docker

# option FOLDER NAME VALUE: one of them. Some of the services are not root.
option() (
    umask 022
    mkdir -p "$root/etc/$1"
    printf '%s\n' "$3" >"$root/etc/$1/$2"
)

# zk PATH: what the masters keep in ZooKeeper, as a URL.
zk() {
    hosts=
    for one in $(param master_addresses); do
        hosts=${hosts:+$hosts,}$one:2181
    done
    echo "zk://$hosts/$1"
}

# absent SERVICE...: not on this node, though the image may start it.
absent() {
    for one in "$@"; do
        systemctl stop "$one" || :
        systemctl disable "$one" || :
    done
}

# present SERVICE: started now and with every boot.
present() {
    systemctl enable "$1"
    systemctl restart "$1"
}

# Nodes speak to each other without a proxy.
inside() {
    for one in $(param master_addresses) $(param address); do
        printf ',%s' "$one"
    done
}

END-OF-lib
# shellcheck source=lib.sh
. "$MAGNUM_LIB"

# signal STATUS REASON: to the node's wait condition, for as long as Heat may
# need to come back.
signal() {
    body=$MAGNUM_DIR/signal.json
    printf '{"status": "%s", "reason": "%s", "id": "%s", "data": ""}' \
        "$1" "$(printf %s "$2" | json)" "$(param name)" >"$body"
    cat >"$MAGNUM_DIR/signal.conf" <<END
url = "$(param wait_endpoint)"
request = "POST"
header = "X-Auth-Token: $(param wait_token)"
header = "Content-Type: application/json"
data-binary = "@$body"
output = "/dev/null"
END
    retry 30 10 http "$MAGNUM_DIR/signal.conf"
    rm -f "$MAGNUM_DIR/signal.conf" "$body"
}

# step NAME: runs its standard input.
step() {
    cat >"$MAGNUM_DIR/step/$1.sh"
    echo "step $1"
    if ! sh -eu "$MAGNUM_DIR/step/$1.sh" >"$logs/$1.log" 2>&1 </dev/null; then
        words=$(tail -n 8 "$logs/$1.log" | tail -c 400)
        echo "step $1 failed: $words" >&2
        signal FAILURE "$(param name): step $1 failed: $words"
        exit 1
    fi
}

step 010-image <<'END-OF-010-image'
#!/bin/sh
# All that the cluster is made of is on the image. One that lacks something is
# told from one that is broken.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param role)" = master ]; then
    programs="systemctl mesos-master marathon"
    files="/etc/zookeeper/conf"
else
    programs="systemctl mesos-slave dockerd"
    files=
fi
missing=
for one in $programs; do
    command -v "$one" >/dev/null || missing="$missing $one"
done
for one in $files; do
    [ -e "$root$one" ] || missing="$missing $one"
done
if [ -n "$missing" ]; then
    echo "the image lacks:$missing. A cluster needs an Ubuntu image with systemd, ZooKeeper, Mesos, Marathon and docker installed." >&2
    exit 1
fi
END-OF-010-image

step 050-docker <<'END-OF-050-docker'
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
END-OF-050-docker

step 100-mesos-slave <<'END-OF-100-mesos-slave'
#!/bin/sh
# An agent of Mesos, whose tasks are containers of docker or of Mesos itself.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
absent mesos-master marathon zookeeper
systemctl stop mesos-slave || :
option mesos zk "$(zk mesos)"
option mesos-slave ip "$(param address)"
option mesos-slave hostname "$(param address)"
option mesos-slave containerizers docker,mesos
# For constraints of applications.
option mesos-slave attributes "nodegroup:$(param nodegroup_name);nodegroup_role:$(param nodegroup_role)"
# As long as an image may take to come.
option mesos-slave executor_registration_timeout 5mins
work=$(param mesos_slave_work_dir)
option mesos-slave work_dir "$work"
isolation=$(param mesos_slave_isolation)
if [ -n "$isolation" ]; then
    option mesos-slave isolation "$isolation"
fi
providers=$(param mesos_slave_image_providers | tr '[:upper:]' '[:lower:]')
if [ -n "$providers" ]; then
    option mesos-slave image_providers "$providers"
fi
variables=$(param mesos_slave_executor_env_variables)
if [ -n "$variables" ]; then
    option mesos-slave executor_environment_variables "$variables"
fi
(umask 022 && mkdir -p "$root$work") # tasks may be of any user
# What the agent was before, if the image started it by itself, it is no more.
rm -rf "$root$work/meta/slaves/latest"
present mesos-slave
END-OF-100-mesos-slave

step 900-ready <<'END-OF-900-ready'
#!/bin/sh
# A master is ready once masters and Marathons have chosen who leads, a worker
# once its agent is registered with the leading master.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
ask() {
    curl --silent --show-error --fail --noproxy '*' --max-time 10 "http://$(param address):$1"
}
if [ "$(param role)" = master ]; then
    services="zookeeper mesos-master marathon"
    ready() {
        ask 5050/master/redirect >/dev/null && ask 8080/v2/leader >/dev/null
    }
else
    services=mesos-slave
    ready() {
        # Slashes may stand escaped in Mesos' JSON.
        ask 5051/metrics/snapshot | grep -q '"slave[\]*/registered": *1'
    }
fi
retry 180 10 ready || {
    for one in $services; do
        echo "$one: $(journalctl --no-pager --lines 2 --output cat --unit "$one")"
    done
    exit 1
}
END-OF-900-ready

: >"$MAGNUM_DIR/done"
signal SUCCESS "$(param name) is ready"

