#!/bin/sh
# shellcheck source=../lib.sh
. "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}"
set -f # the user's options are words, not patterns
"$engine" rm --force kube-scheduler || :
# shellcheck disable=SC2046 # the options are words
exec "$engine" run --name kube-scheduler --net host --security-opt label=disable \
    --volume /etc/kubernetes:/etc/kubernetes:ro \
    "$(hyperkube)" /hyperkube kube-scheduler \
    --kubeconfig=/etc/kubernetes/scheduler.conf \
    --leader-elect=true \
    $(param kubescheduler_options)
