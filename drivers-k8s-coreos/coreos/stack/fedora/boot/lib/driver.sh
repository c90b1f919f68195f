# shellcheck shell=sh disable=SC2034,SC2154
# Fedora CoreOS has podman, which runs the services, and docker, which runs pods.
engine=podman
# A stub that answers on 127.0.0.53 would send the cluster's name servers to
# themselves; this file has the servers behind it.
if [ -e "$root/run/systemd/resolve/resolv.conf" ]; then
    resolver=/run/systemd/resolve/resolv.conf
fi

# daemon_options: kubelet reads pods' logs from files, and Fedora has docker's
# proxy where docker does not look for it.
daemon_options() {
    printf ', "log-driver": "json-file", "userland-proxy": false'
}
