#!/bin/sh
# A registry for this node alone. All nodes' have the same images, those in the
# Swift of the cluster's user.
# shellcheck source=../lib.sh
. "$MAGNUM_LIB"
if [ -z "$(param trust_id)" ]; then
    echo "the registry needs a trust: the operator has to set [trust] cluster_user_trust" >&2
    exit 1
fi
unchecked=true
if is_true verify_ca; then
    unchecked=false
fi
mkdir -p "$root/etc/magnum/registry"
cat >"$root/etc/magnum/registry/config.yml" <<END
version: 0.1
http:
  addr: 127.0.0.1:5000
storage:
  cache:
    blobdescriptor: inmemory
  swift:
    authurl: "$(param auth_url | json)"
    username: "$(param trustee_username | json)"
    domainid: "$(param trustee_domain_id | json)"
    password: "$(param trustee_password | json)"
    trustid: "$(param trust_id | json)"
    region: "$(param registry_region | json)"
    container: "$(param registry_container | json)"
    insecureskipverify: $unchecked
END
unit registry "Registry" docker.service
