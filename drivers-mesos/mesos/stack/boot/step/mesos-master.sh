#!/bin/sh
# A master of Mesos, one of as many as there are.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
absent mesos-slave
systemctl stop mesos-master || :
n=0
for one in $(param master_addresses); do
    n=$((n + 1))
done
option mesos zk "$(zk mesos)"
option mesos-master ip "$(param address)"
option mesos-master hostname "$(param address)"
option mesos-master cluster "$(param cluster_name)"
option mesos-master quorum $((n / 2 + 1))
option mesos-master work_dir /var/lib/mesos
# A log that the image began by itself must not get into that of the masters.
rm -rf "$root/var/lib/mesos/replicated_log"
present mesos-master
