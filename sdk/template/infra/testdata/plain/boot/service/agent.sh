#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
exec "$engine" run --name agent "$(image agent docker.io/acme/ 1.0)" --peers "$(param master_addresses)"
