#!/bin/sh
# The Swarm agent, which keeps this node in the managers' list.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
unit swarm-agent "Swarm agent" docker.service
