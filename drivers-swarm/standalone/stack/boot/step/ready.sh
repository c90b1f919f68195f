#!/bin/sh
# A master is ready once its manager answers for the cluster, a worker once a
# manager says that its engine is well.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ "$(param role)" = master ]; then
    service=swarm-manager
    ready() {
        ask "$(param address):2376" /info >/dev/null
    }
else
    service=swarm-agent
    # After the node's name and address come its id and its state.
    well='"'"$(param address | sed 's/\./[.]/g')"':2375"\],\["[^"]*ID","[^"]*"\],\["[^"]*Status","Healthy"\]'
    ready() {
        for one in $(param master_addresses); do
            ask "$one:2376" /info | grep -q "$well" && return 0
        done
        return 1
    }
fi
retry 180 10 ready || {
    journalctl --no-pager --lines 4 --output cat --unit "$service"
    exit 1
}
