# shellcheck shell=bash disable=SC2034 # the names are for those who source this
# Where a lab lives, its ports and its passwords. Every command sources this.
#
#   MAGNUM_LAB_STATE  the one folder a lab writes to      (default /var/lib/magnum-lab)
#   MAGNUM_LAB_PORTS  first port of its block of sixteen  (default 15000)
#   MAGNUM_PORT       where the catalogue says Magnum is  (default: first port + 11)
#
# `up` records both numbers in the state folder, so the other commands need only the folder.

LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STATE=${MAGNUM_LAB_STATE:-/var/lib/magnum-lab}
ETC=$STATE/etc LOG=$STATE/log RUN=$STATE/run DONE=$STATE/done
HOST=127.0.0.1

# Debian's interpreters and nothing of the caller's: a virtualenv, a proxy or a
# ~/.config would otherwise change what the services are.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
export no_proxy=$HOST

# The order is the port's offset: keep it, and add at the end.
PORT_NAMES=(keystone glance placement nova neutron cinder octavia heat heat_cfn
  mariadb rabbitmq magnum memcached epmd rabbitmq_dist)
declare -A PORT

say() { printf '%4ds  %s\n' "$SECONDS" "$*"; }
die() { printf 'openstack-lab: %s\n' "$*" >&2; exit 1; }

recorded() { # KEY: what an earlier `up` wrote down, or nothing
  [ ! -e "$STATE/settings" ] || sed -n "s/^$1=//p" "$STATE/settings"
}

settle() { # fixes the ports and hands them to the Python parts
  local base i
  base=$(recorded base)
  if [ -n "$base" ] && [ "${MAGNUM_LAB_PORTS:-$base}" != "$base" ]; then
    die "the lab in $STATE has its ports at $base, not $MAGNUM_LAB_PORTS: wipe it or choose another MAGNUM_LAB_STATE"
  fi
  base=${base:-${MAGNUM_LAB_PORTS:-15000}}
  [[ $base =~ ^[0-9]{4,5}$ ]] || die "MAGNUM_LAB_PORTS=$base is not a port"
  LAB_PORTS=
  for i in "${!PORT_NAMES[@]}"; do PORT[${PORT_NAMES[i]}]=$((base + i)); done
  PORT[magnum]=${MAGNUM_PORT:-$(recorded magnum)}
  PORT[magnum]=${PORT[magnum]:-$((base + 11))}
  for i in "${PORT_NAMES[@]}"; do LAB_PORTS+="$i=${PORT[$i]} "; done
  LAB_STATE=$STATE LAB_BASE=$base
  export LAB_STATE LAB_PORTS LAB_BASE
}

record() {
  printf 'base=%s\nmagnum=%s\n' "$LAB_BASE" "${PORT[magnum]}" > "$STATE/settings"
}

# One password per account, made once per state folder, readable by root only.
ACCOUNTS=(database messaging admin demo demo-reader alt magnum magnum_domain_admin heat_domain_admin
  glance placement nova neutron cinder octavia heat heat_encryption octavia_secret)

make_secrets() {
  local name
  [ -s "$STATE/secrets" ] && return
  (
    umask 077
    for name in "${ACCOUNTS[@]}"; do
      printf '%s=%s\n' "$name" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    done > "$STATE/secrets.new"
    mv "$STATE/secrets.new" "$STATE/secrets"
  )
}

secret() { sed -n "s/^$1=//p" "$STATE/secrets"; }

need_lab() {
  [ -e "$STATE/settings" ] || die "no lab in $STATE (run up, or set MAGNUM_LAB_STATE)"
  [ -r "$STATE/secrets" ] || die "cannot read $STATE/secrets: run as root"
}
