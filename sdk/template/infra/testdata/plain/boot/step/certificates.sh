#!/bin/sh
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
login
authority ca.crt
san=$({ names IP "$(param address)" "$(param external_address)" "$(param api_public_address)" 127.0.0.1; names DNS "$(node_name)"; } | join)
certificate server '' "$(node_name)" '' "$san"
unit agent "What the nodes of this cluster run" docker.service
