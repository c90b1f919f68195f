#!/bin/sh
# docker from the distribution's archive, and what the other steps need, where
# the image does not bring it.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
missing=
command -v dockerd >/dev/null || missing="$missing docker.io"
command -v curl >/dev/null || missing="$missing curl"
command -v openssl >/dev/null || missing="$missing openssl"
if [ -z "$missing" ]; then
    exit 0
fi
http_proxy=$(param http_proxy)
https_proxy=$(param https_proxy)
export http_proxy https_proxy
export DEBIAN_FRONTEND=noninteractive
install() {
    apt-get update || return 1
    # shellcheck disable=SC2086 # words, each a package
    apt-get install --yes --no-install-recommends ca-certificates $missing
}
# Others, such as the image's own updates, may hold the lock at first boot.
retry 30 10 install
