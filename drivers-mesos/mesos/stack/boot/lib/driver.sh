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
