#!/bin/sh
# One key and certificate, with which an engine serves its API and asks that of
# others.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
login
authority ca.crt
own=$({
    names IP "$(param address)" 127.0.0.1
    names DNS "$(node_name)" localhost
    names IP "$(param external_address)" "$(param api_private_address)" "$(param api_public_address)"
} | join)
certificate server '' "$(node_name)" '' "$own"
more_certificates
