#!/bin/sh
# An agent of Mesos, whose tasks are containers of docker or of Mesos itself.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
absent mesos-master marathon zookeeper
systemctl stop mesos-slave || :
option mesos zk "$(zk mesos)"
option mesos-slave ip "$(param address)"
option mesos-slave hostname "$(param address)"
option mesos-slave containerizers docker,mesos
# For constraints of applications.
option mesos-slave attributes "nodegroup:$(param nodegroup_name);nodegroup_role:$(param nodegroup_role)"
# As long as an image may take to come.
option mesos-slave executor_registration_timeout 5mins
work=$(param mesos_slave_work_dir)
option mesos-slave work_dir "$work"
isolation=$(param mesos_slave_isolation)
if [ -n "$isolation" ]; then
    option mesos-slave isolation "$isolation"
fi
providers=$(param mesos_slave_image_providers | tr '[:upper:]' '[:lower:]')
if [ -n "$providers" ]; then
    option mesos-slave image_providers "$providers"
fi
variables=$(param mesos_slave_executor_env_variables)
if [ -n "$variables" ]; then
    option mesos-slave executor_environment_variables "$variables"
fi
(umask 022 && mkdir -p "$root$work") # tasks may be of any user
# What the agent was before, if the image started it by itself, it is no more.
rm -rf "$root$work/meta/slaves/latest"
present mesos-slave
