#!/bin/sh
# Tells an image that lacks something from one that is broken.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
missing=
for program in docker podman openssl; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "the image lacks:$missing" >&2
    exit 1
fi
