#!/bin/sh
# Waits until the API server calls this node ready, with its own credentials.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
name=$(node_name)
server=$(sed -n 's/^ *server: //p' "$root/etc/kubernetes/kubelet.conf")
ready() {
    curl --silent --fail --max-time 10 --cacert "$certs/ca.crt" \
        --cert "$certs/kubelet.crt" --key "$certs/kubelet.key" \
        "$server/api/v1/nodes/$name" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'
}
retry 180 10 ready || {
    journalctl --no-pager --lines 4 --output cat --unit kubelet
    exit 1
}
if [ "$(param role)" = master ]; then
    kubectl label node "$name" --overwrite node-role.kubernetes.io/master=
fi
