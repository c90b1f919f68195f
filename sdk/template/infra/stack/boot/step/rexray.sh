#!/bin/sh
# Volumes of containers are Cinder's, which REX-Ray makes for the cluster's user.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -z "$(param trust_id)" ]; then
    echo "rexray needs a trust: the operator has to set [trust] cluster_user_trust" >&2
    exit 1
fi
mkdir -p "$root/etc/rexray"
cat >"$root/etc/rexray/config.yml" <<END
libstorage:
  service: openstack
  integration:
    volume:
      operations:
        mount:
          preempt: $(param rexray_preempt)
openstack:
  authURL: "$(param auth_url | json)"
  userID: "$(param trustee_user_id | json)"
  password: "$(param trustee_password | json)"
  trustID: "$(param trust_id | json)"
END
unit rexray "REX-Ray" docker.service
