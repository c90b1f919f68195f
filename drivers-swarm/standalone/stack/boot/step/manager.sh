#!/bin/sh
# The Swarm manager, one on each master, of which one leads.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
unit swarm-manager "Swarm manager" "docker.service etcd.service"
