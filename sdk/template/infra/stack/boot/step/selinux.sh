#!/bin/sh
# SELinux as the label selinux_mode says. "disabled" can only be had by a
# reboot; until then it is permissive.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
mode=$(param selinux_mode)
sed -i "s/^SELINUX=.*/SELINUX=$mode/" "$root/etc/selinux/config"
case $mode in
enforcing) setenforce 1 ;;
*) setenforce 0 || : ;;
esac
