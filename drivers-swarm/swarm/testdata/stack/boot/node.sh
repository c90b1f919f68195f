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
# Keys are made on the node and never leave it; certificates come from Magnum,
# which is asked as the cluster's trustee. What is secret goes through files of
# root. $certs, which a later file sets, is where keys and certificates lie.

# login: comes before the others, in the same step.
login() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/magnum.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # shellcheck disable=SC2154 # certs: see above
    mkdir -p "$certs"
    retry 30 10 token
}

token() {
    cat >"$work/login.json" <<END
{"auth": {"identity": {"methods": ["password"], "password": {"user": {
  "id": "$(param trustee_user_id | json)", "password": "$(param trustee_password | json)"}}}}}
END
    cat >"$work/login.conf" <<END
url = "$(param auth_url)/auth/tokens?nocatalog"
request = "POST"
header = "Content-Type: application/json"
data-binary = "@$work/login.json"
dump-header = "$work/headers"
output = "/dev/null"
END
    http "$work/login.conf" || return 1
    token=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: *//p')
    [ -n "$token" ]
}

# magnum URL [BODY]: a request to Magnum; the answer's certificate is printed.
magnum() {
    cat >"$work/magnum.conf" <<END
url = "$1"
header = "X-Auth-Token: $token"
header = "OpenStack-API-Version: container-infra latest"
header = "Content-Type: application/json"
output = "$work/answer"
END
    if [ -n "${2:-}" ]; then
        echo "data-binary = \"@$2\"" >>"$work/magnum.conf"
    fi
    rm -f "$work/answer"
    http "$work/magnum.conf" || return 1
    pem=$(sed -n 's/.*"pem": *"\([^"]*\)".*/\1/p' "$work/answer")
    [ -n "$pem" ] || return 1
    printf '%b\n' "$pem"
}

# answered FILE COMMAND...: its output, once it has any, so that an answer cut
# short never lies there as a certificate.
answered() {
    file=$1
    shift
    "$@" >"$work/out" && mv "$work/out" "$file"
}

# authority FILE [TYPE]: a CA's certificate.
authority() {
    retry 30 10 answered "$certs/$1" \
        magnum "$(param magnum_url)/certificates/$(param cluster_uuid)${2:+?ca_cert_type=$2}"
}

# certificate FILE TYPE CN O SAN: a key and a certificate for it.
certificate() {
    cat >"$work/csr.conf" <<END
[req]
prompt = no
distinguished_name = who
req_extensions = what
[who]
CN = $3
${4:+O = $4}
[what]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth, serverAuth
${5:+subjectAltName = $5}
END
    openssl req -new -newkey rsa:2048 -nodes -config "$work/csr.conf" \
        -keyout "$certs/$1.key" -out "$work/csr.pem" 2>"$work/openssl.log" ||
        { cat "$work/openssl.log" >&2; return 1; }
    kind=
    if [ -n "$2" ]; then
        kind=", \"ca_cert_type\": \"$2\""
    fi
    printf '{"cluster_uuid": "%s", "csr": "%s"%s}' "$(param cluster_uuid)" \
        "$(awk '{printf "%s\\n", $0}' "$work/csr.pem")" "$kind" >"$work/body.json"
    retry 30 10 answered "$certs/$1.crt" \
        magnum "$(param magnum_url)/certificates" "$work/body.json"
}

# names PREFIX VALUE...: subject alternative names, without empty and double ones.
names() {
    prefix=$1
    shift
    for one in "$@"; do
        if [ -n "$one" ]; then
            echo "$prefix:$one"
        fi
    done
}
join() {
    sort -u | paste -sd , -
}

# shellcheck shell=sh
# docker is both what runs containers and what the cluster is made of.
# shellcheck disable=SC2034 # services read it
engine=docker
# shellcheck disable=SC2034,SC2154 # see certificate.sh; root is lib.sh's
certs=$root/etc/docker

# Engines speak to the managers, and do not take a proxy for that. Old ones know
# no subnets here.
inside() {
    for one in $(param master_addresses) $(param address); do
        printf ',%s' "$one"
    done
}

# ask ADDRESS:PORT PATH: an API of the cluster, over TLS if the cluster has that.
ask() {
    target=$1$2
    set -- --silent --show-error --fail --noproxy '*' --connect-timeout 5 --max-time 30
    if is_true tls_disabled; then
        curl "$@" "http://$target"
    else
        curl "$@" --cacert "$certs/ca.crt" --cert "$certs/server.crt" --key "$certs/server.key" "https://$target"
    fi
}

# more_certificates: what a driver's nodes need besides that of their engine, for
# the names in $own.
more_certificates() {
    :
}

# engine_labels, engine_serves: members of docker's daemon.json, see
# daemon_options: for those who place containers, and for an engine that others
# ask.
engine_labels() {
    printf ', "labels": ["org.openstack.magnum.role=%s", "org.openstack.magnum.nodegroup=%s"]' \
        "$(param nodegroup_role | json)" "$(param nodegroup_name | json)"
}

engine_serves() {
    printf ', "hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]'
    if is_true tls_disabled; then
        # Said and not left out: newer engines refuse or delay what looks like
        # an oversight.
        printf ', "tls": false'
    else
        printf ', "tlsverify": true, "tlscacert": "/etc/docker/ca.crt", "tlscert": "/etc/docker/server.crt", "tlskey": "/etc/docker/server.key"'
    fi
}

# write_daemon: what docker of Fedora Atomic is told by its own file; the rest is
# in the system's.
write_daemon() {
    printf '{%s}\n' "$(daemon_options | sed '1s/^, *//')" >"$root/etc/docker/daemon.json"
}

# shellcheck shell=sh
# The swarm: who is in it, and how a node comes in. Tokens go from one engine to
# the other through files of root, never through a program's arguments.

# state: what the engine says of its swarm: inactive, pending, active or error.
state() {
    docker info --format '{{.Swarm.LocalNodeState}}'
}

# join_as Manager|Worker: through the first other manager that has a swarm.
# Returns 1 if none has, so that the caller can try again.
join_as() {
    now=$(state) || return 1
    case $now in
    active) return 0 ;;
    pending) return 1 ;; # the engine goes on trying by itself
    error) docker swarm leave --force || return 1 ;;
    esac
    work=$(mktemp -d "${TMPDIR:-/tmp}/magnum.XXXXXX") || return 1
    for one in $(param master_addresses); do
        if [ "$one" = "$(param address)" ]; then
            continue
        fi
        token=
        if ask "$one:2375" /swarm >"$work/swarm.json"; then
            token=$(sed -n 's/.*"'"$1"'": *"\(SWMTKN-[^"]*\)".*/\1/p' "$work/swarm.json")
        fi
        if [ -n "$token" ] && enter "$one"; then
            rm -rf "$work"
            return 0
        fi
    done
    rm -rf "$work"
    return 1
}

# enter ADDRESS: the swarm of a manager, with its token. The engine is asked by
# its socket, because its client takes the token as an argument only.
enter() {
    printf '{"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "%s", "RemoteAddrs": ["%s:2377"], "JoinToken": "%s"}' \
        "$(param address)" "$1" "$token" >"$work/join.json"
    code=$(curl --silent --show-error --noproxy '*' --max-time 90 --unix-socket /var/run/docker.sock \
        --header 'Content-Type: application/json' --data-binary "@$work/join.json" \
        --output "$work/answer" --write-out '%{http_code}' http://localhost/swarm/join) || return 1
    if [ "$code" != 200 ]; then
        echo "joining the swarm of $1: $(cat "$work/answer")" >&2
        return 1
    fi
}

# shellcheck shell=sh
# Managers serve the API to the cluster and its users; of a worker it is the
# worker's own.
daemon_options() {
    engine_labels
    if [ "$(param role)" = master ]; then
        engine_serves
    fi
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

step 046-certificates <<'END-OF-046-certificates'
#!/bin/sh
# One key and certificate, with which an engine serves its API and asks that of
# others.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
login
authority ca.crt
own=$({
    names IP "$(param address)" 127.0.0.1
    names DNS "$(node_name)" localhost
    names IP "$(param external_address)" "$(param api_private_address)" "$(param api_public_address)"
} | join)
certificate server '' "$(node_name)" '' "$own"
more_certificates
END-OF-046-certificates

step 047-daemon <<'END-OF-047-daemon'
#!/bin/sh
# docker of Fedora Atomic refuses what it is told in both of its files, and a
# cluster's network where containers outlive it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mkdir -p "$root/etc/docker" "$root/etc/sysconfig"
touch "$root/etc/sysconfig/docker"
sed -i '/^OPTIONS=/s/ *--live-restore\(=[a-z]*\)*//' "$root/etc/sysconfig/docker"
# An image that has run docker has its identity, which no two engines may share.
rm -f "$root/etc/docker/key.json"
write_daemon
END-OF-047-daemon

step 050-docker <<'END-OF-050-docker'
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
END-OF-050-docker

step 100-swarm <<'END-OF-100-swarm'
#!/bin/sh
# The first master makes the swarm, the others join it. A first master that was
# made anew finds the swarm that the others are in.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param role)" != master ]; then
    retry 60 30 join_as Worker
elif [ "$(param index)" != 0 ]; then
    retry 60 30 join_as Manager
elif ! join_as Manager; then
    set -- --advertise-addr "$(param address)" --listen-addr 0.0.0.0:2377
    # Engines that do not know this take their subnets from where the nodes may
    # be: 10.0.0.0/24 and what follows.
    if docker swarm init --help | grep -q -e --default-addr-pool; then
        set -- "$@" --default-addr-pool 10.255.0.0/16 --default-addr-pool-mask-length 24
    fi
    docker swarm init "$@" >/dev/null # it prints a token
fi
END-OF-100-swarm

step 900-ready <<'END-OF-900-ready'
#!/bin/sh
# The node is one once its engine is in the swarm, and a manager once it can
# answer for it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
ready() {
    [ "$(state)" = active ] || return 1
    if [ "$(param role)" = master ]; then
        docker node ls >/dev/null
    fi
}
retry 60 5 ready
END-OF-900-ready

: >"$MAGNUM_DIR/done"
signal SUCCESS "$(param name) is ready"

