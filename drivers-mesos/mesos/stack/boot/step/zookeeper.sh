#!/bin/sh
# ZooKeeper, whose servers are the masters, in the order of their ports.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
systemctl stop zookeeper || :
data=$root/var/lib/zookeeper
conf=$root/etc/zookeeper/conf
mkdir -p "$data"
# The image may have started it by itself: what it wrote then is of no cluster.
rm -rf "$data/version-2" "$data/myid"
id=$(($(param index) + 1))
echo "$id" >"$data/myid"
echo "$id" >"$conf/myid"
{
    cat <<END
tickTime=2000
initLimit=10
syncLimit=5
dataDir=/var/lib/zookeeper
clientPort=2181
autopurge.snapRetainCount=3
autopurge.purgeInterval=24
END
    n=0
    for one in $(param master_addresses); do
        n=$((n + 1))
        echo "server.$n=$one:2888:3888"
    done
} >"$conf/zoo.cfg"
chmod 0644 "$data/myid" "$conf/myid" "$conf/zoo.cfg"
present zookeeper
