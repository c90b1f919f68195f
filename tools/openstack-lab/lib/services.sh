# shellcheck shell=bash
# One schema_NAME and one start_NAME for each service. Every command is told where our
# configuration is, or it would read the one in /etc.

FAKES=PYTHONPATH=$LAB_HOME/fakes

ours() { # SERVICE: sets OURS to the options that name its configuration
  OURS=(--config-file "$ETC/$1.conf" --config-dir "$ETC/none")
}

# manage SERVICE COMMAND...: runs a -manage command with that service's configuration.
manage() {
  ours "$1"
  "$2" "${OURS[@]}" "${@:3}"
}

# daemon NAME SERVICE COMMAND...: launches a process of a service.
daemon() {
  ours "$2"
  launch "$1" env HOME="$STATE/data/home" "${@:3}" "${OURS[@]}"
}

# wsgi NAME THREADS FILE UWSGI-OPTION...: launches an API that has no server of its own.
wsgi() {
  launch "$1" env HOME="$STATE/data/home" "$FAKES" OS_KEYSTONE_CONFIG_FILES="$ETC/keystone.conf" \
    OS_PLACEMENT_CONFIG_DIR="$ETC" uwsgi --plugin python3 --wsgi-file "$3" \
    --http-socket "$HOST:${PORT[$1]}" --threads "$2" --enable-threads --need-app \
    --die-on-term --buffer-size 65535 --add-header 'Connection: close' \
    --disable-logging --log-5xx "${@:4}"
}

# entry COMMAND MODULE: sets ENTRY to the main() of a command whose package is not installed.
entry() {
  ENTRY=(/usr/bin/python3 -c "import sys; sys.argv[0] = '$1'; from $2 import main; sys.exit(main())")
}

schema_keystone() {
  local keys url=http://$HOST:${PORT[keystone]}/v3
  for keys in tokens credentials; do install -d -m 700 "$STATE/data/keystone/$keys"; done
  manage keystone keystone-manage db_sync &&
    manage keystone keystone-manage fernet_setup --keystone-user root --keystone-group root &&
    manage keystone keystone-manage credential_setup --keystone-user root --keystone-group root &&
    OS_BOOTSTRAP_PASSWORD=$(secret admin) manage keystone keystone-manage bootstrap \
      --bootstrap-region-id RegionOne --bootstrap-public-url "$url" \
      --bootstrap-internal-url "$url" --bootstrap-admin-url "$url"
}
schema_glance() { manage glance glance-manage db_sync; }
schema_placement() { manage placement placement-manage db sync; }
schema_neutron() { manage neutron neutron-db-manage upgrade heads; }
schema_cinder() { manage cinder cinder-manage db sync; }
schema_heat() { manage heat heat-manage db_sync; }
schema_octavia() {
  local authority=$STATE/data/octavia/authority # signs the certificates of the amphorae
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=lab \
    -keyout "$authority.key" -out "$authority.pem" &&
    manage octavia octavia-db-manage upgrade head
}
schema_nova() {
  manage nova nova-manage api_db sync && manage nova nova-manage cell_v2 map_cell0 &&
    manage nova nova-manage db sync || return
  # 2: the cell is there already, from a run that ended between the two.
  manage nova nova-manage cell_v2 create_cell --name lab || [ $? = 2 ]
}

start_keystone() { wsgi keystone 6 /usr/bin/keystone-wsgi-public; }
start_placement() { wsgi placement 4 /usr/bin/placement-api; }
start_glance() { daemon glance glance glance-api; }
start_nova() {
  daemon nova-conductor nova nova-conductor
  daemon nova-scheduler nova nova-scheduler
  daemon nova nova nova-api
}
start_compute() {
  entry nova-compute nova.cmd.compute
  daemon nova-compute nova "${ENTRY[@]}"
}
start_neutron() { daemon neutron neutron "$FAKES" neutron-server; }
start_cinder() {
  entry cinder-volume cinder.cmd.volume
  daemon cinder-scheduler cinder cinder-scheduler
  daemon cinder-volume cinder "$FAKES" "${ENTRY[@]}"
  daemon cinder cinder cinder-api
}
start_octavia() {
  ours octavia
  wsgi octavia 4 /usr/bin/octavia-wsgi --pyargv "${OURS[*]}"
  daemon octavia-worker octavia "$FAKES" octavia-worker
}
start_heat() {
  daemon heat-engine heat heat-engine
  daemon heat heat heat-api
  daemon heat_cfn heat heat-api-cfn
}

prepare_ground() { # folders of the daemons that are not root
  local user
  for user in mariadb:mysql rabbitmq:rabbitmq; do
    install -d -m 700 "$STATE/${user%:*}"
    chown -R "${user#*:}:" "$STATE/${user%:*}"
  done
}

schema_mariadb() {
  mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/mariadb/data" \
    --skip-test-db --auth-root-authentication-method=socket
}

start_ground() {
  once mariadb-install schema_mariadb
  launch mariadb mariadbd --defaults-file="$STATE/mariadb/server.cnf"
  launch memcached setpriv --reuid memcache --regid memcache --init-groups \
    memcached -l "$HOST" -p "${PORT[memcached]}" -m 64
  # An epmd of its own: Erlang would start one on all addresses, and sharing another
  # program's would tie that program's fate to ours.
  launch epmd setpriv --reuid rabbitmq --regid rabbitmq --init-groups \
    epmd -address "$HOST" -port "${PORT[epmd]}"
  await epmd "${PORT[epmd]}"
  launch rabbitmq setpriv --reuid rabbitmq --regid rabbitmq --init-groups \
    env HOME="$STATE/rabbitmq" ERL_EPMD_PORT="${PORT[epmd]}" ERL_EPMD_ADDRESS="$HOST" \
    RABBITMQ_NODENAME=magnum-lab@localhost RABBITMQ_DIST_PORT="${PORT[rabbitmq_dist]}" \
    RABBITMQ_CONFIG_FILE="$STATE/rabbitmq/rabbitmq.conf" \
    RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_ENABLED_PLUGINS_FILE="$STATE/rabbitmq/plugins" \
    RABBITMQ_MNESIA_BASE="$STATE/rabbitmq" RABBITMQ_LOG_BASE="$STATE/rabbitmq" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none' \
    /usr/lib/rabbitmq/bin/rabbitmq-server
}
