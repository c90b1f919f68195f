# shellcheck shell=bash
# What comes from Debian. Left out on purpose: nova-compute and cinder-volume, which bring
# libvirt, tgt and lvm2 only for entry points that python3-nova and python3-cinder hold too.

PACKAGES=(
  mariadb-server rabbitmq-server memcached openssl
  uwsgi-core uwsgi-plugin-python3 python3-pymysql python3-memcache python3-sqlalchemy-ext
  keystone placement-common placement-api glance-common glance-api
  nova-common nova-api nova-conductor nova-scheduler
  neutron-common cinder-common cinder-api cinder-scheduler octavia-common octavia-api
  heat-common heat-api heat-api-cfn heat-engine
  python3-openstackclient python3-heatclient python3-magnumclient
)
POLICY=/usr/sbin/policy-rc.d

missing() {
  comm -23 <(printf '%s\n' "${PACKAGES[@]}" | sort) <(
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null |
      sed -n 's/^installed //p' | sort -u
  )
}

# While packages are set up no service may start. A policy that was there is kept aside.
forbid_starts() {
  [ ! -e "$POLICY" ] || [ -e "$POLICY.magnum-lab" ] || mv "$POLICY" "$POLICY.magnum-lab"
  printf '#!/bin/sh\n# openstack-lab, while it installs packages\nexit 101\n' > "$POLICY"
  chmod 755 "$POLICY"
}

allow_starts() {
  if [ -e "$POLICY.magnum-lab" ]; then
    mv "$POLICY.magnum-lab" "$POLICY"
  elif grep -qs '^# openstack-lab' "$POLICY"; then
    rm -f "$POLICY"
  fi
}

install_packages() {
  local wanted service
  allow_starts # an earlier run may have been killed in the middle
  mapfile -t wanted < <(missing)
  [ ${#wanted[@]} -gt 0 ] || return 0
  say "installing ${#wanted[@]} packages and what they need"
  trap allow_starts EXIT
  forbid_starts
  export DEBIAN_FRONTEND=noninteractive
  {
    # Their own database set-up asks for a server that is not theirs to have.
    echo 'dbconfig-common dbconfig-common/dbconfig-install boolean false'
    for service in keystone glance placement nova neutron cinder octavia heat; do
      echo "$service-common $service/configure_db boolean false"
      echo "$service $service/configure_db boolean false"
    done
  } | debconf-set-selections
  {
    apt-get update -q &&
      apt-get install -q -y --no-install-recommends \
        -o Dpkg::Options::=--force-confold "${wanted[@]}"
  } > "$LOG/packages.log" 2>&1 8>&- || broken packages "could not be installed"
  allow_starts
  trap - EXIT
  say "packages"
}
