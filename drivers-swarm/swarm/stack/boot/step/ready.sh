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
