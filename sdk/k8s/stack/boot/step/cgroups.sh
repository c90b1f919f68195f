#!/bin/sh
# Tells of an image that kubelet of these versions cannot run on, at once and not
# as a node that never becomes ready.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -e "$root/sys/fs/cgroup/cgroup.controllers" ]; then
    echo "this image has cgroups v2, which Kubernetes $(param kube_tag) does not know; use one with v1, or systemd.unified_cgroup_hierarchy=0" >&2
    exit 1
fi
