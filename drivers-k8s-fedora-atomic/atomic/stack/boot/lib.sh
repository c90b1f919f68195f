# shellcheck shell=sh
# What every step and service of a node shares. Values come from
# /etc/magnum/params, a file each, so that none is ever parsed as shell.
# MAGNUM_ROOT stands before every path; tests set it.

root=${MAGNUM_ROOT:-}
certs=$root/etc/kubernetes/certs
mkdir -p "$certs"

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

hyperkube() {
    image hyperkube "$(param hyperkube_prefix)" "$(param kube_tag)"
}

# node_name: the server's name as Kubernetes allows it, which is also what Nova
# makes of it for the host.
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
ExecStop=/usr/bin/podman stop --time 20 $1
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

# kubeconfig FILE SERVER CERT: a client's configuration.
kubeconfig() {
    cat >"$root/etc/kubernetes/$1" <<END
apiVersion: v1
kind: Config
clusters:
- name: cluster
  cluster:
    server: $2
    certificate-authority: /etc/kubernetes/certs/ca.crt
users:
- name: user
  user:
    client-certificate: /etc/kubernetes/certs/$3.crt
    client-key: /etc/kubernetes/certs/$3.key
contexts:
- name: default
  context: {cluster: cluster, user: user}
current-context: default
END
}

# kubectl ARGUMENT...: as the cluster's administrator, from a master.
kubectl() {
    podman run --rm --interactive --net host --security-opt label=disable \
        --volume /etc/kubernetes:/etc/kubernetes:ro "$(hyperkube)" \
        /hyperkube kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"
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

# mount_volume DEVICE FOLDER: as xfs, for this boot and the next ones. A volume
# that has a file system keeps it.
mount_volume() {
    if [ -z "$(blkid -s TYPE -o value "$1" || :)" ]; then
        mkfs.xfs -n ftype=1 "$1"
    fi
    mkdir -p "$2"
    echo "UUID=$(blkid -s UUID -o value "$1") $2 xfs defaults,nofail 0 2" >>"$root/etc/fstab"
    mount "$1" "$2"
}
