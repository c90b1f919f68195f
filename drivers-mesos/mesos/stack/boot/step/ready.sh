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
