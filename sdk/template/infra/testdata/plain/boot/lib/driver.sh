# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the files before this one
certs=$root/etc/docker engine=docker

daemon_options() {
    echo ', "tlsverify": true'
}
inside() {
    printf ',%s' "$(param api_private_address)"
}
