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
