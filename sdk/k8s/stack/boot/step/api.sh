#!/bin/sh
# Waits until this master's API server is well. Pulling its image may take long.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
well() {
    [ "$(curl --silent --max-time 5 --cacert "$certs/ca.crt" https://127.0.0.1:6443/healthz)" = ok ]
}
retry 180 10 well || {
    journalctl --no-pager --lines 4 --output cat --unit etcd --unit kube-apiserver
    exit 1
}
