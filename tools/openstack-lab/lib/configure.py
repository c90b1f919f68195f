#!/usr/bin/python3
"""Writes the configuration of every service of the lab, or prints a magnum.conf.

    configure.py
    configure.py magnum STATE_PATH DATABASE_FILE PORT

Nothing under /etc is written. Of Debian's own files only paste pipelines are used,
the packaged originals where the package keeps one beside the copy in /etc.
"""
import os
import sys

from lab import HOST, KEYSTONE, PORT, REGION, SECRET, STATE, url

ETC = f'{STATE}/etc'
RABBIT = f"rabbit://lab:{SECRET['messaging']}@{HOST}:{PORT['rabbitmq']}/"


def database(name):
    login = f"lab:{SECRET['database']}@{HOST}:{PORT['mariadb']}"
    return {'connection': f'mysql+pymysql://{login}/{name}?charset=utf8'}


def user(name):
    return {'auth_type': 'password', 'auth_url': KEYSTONE, 'username': name,
            'password': SECRET[name], 'user_domain_name': 'Default'}


def account(name):
    """A service user in the service project."""
    return {**user(name), 'project_name': 'service',
            'project_domain_name': 'Default'}


def here(name):
    return {**account(name), 'region_name': REGION}


def tokens(name):
    return {**here(name), 'www_authenticate_uri': KEYSTONE,
            'memcached_servers': f"{HOST}:{PORT['memcached']}",
            # Nova may detach a volume on a user's behalf only with a service token.
            'service_token_roles': 'service',
            'service_token_roles_required': True}


def service(name, sections, messages=True):
    """The sections every service has, and its own on top of them."""
    folder = f'{STATE}/data/{name}'
    os.makedirs(folder, exist_ok=True)
    common = {
        'DEFAULT': {'use_stderr': True, 'graceful_shutdown_timeout': 5},
        'database': database(name),
        'oslo_concurrency': {'lock_path': folder},
        'oslo_messaging_notifications': {'driver': 'noop'},
        # Neither a policy.d of /etc nor one in somebody's home changes who may do what.
        'oslo_policy': {'policy_file': f'{ETC}/policy.yaml',
                        'policy_dirs': f'{ETC}/none'},
    }
    if name in SECRET:  # Keystone has no account with itself
        common['keystone_authtoken'] = tokens(name)
    if messages:
        common['DEFAULT']['transport_url'] = RABBIT
    for section, options in sections.items():
        common[section] = {**common.get(section, {}), **options}
    return common


def keystone():
    return service('keystone', {
        'DEFAULT': {'max_token_size': 512},
        'token': {'expiration': 86400},
        'fernet_tokens': {'key_repository': f'{STATE}/data/keystone/tokens'},
        'credential': {'key_repository': f'{STATE}/data/keystone/credentials'},
        'cache': {'enabled': True, 'backend': 'oslo_cache.memcache_pool',
                  'memcache_servers': f"{HOST}:{PORT['memcached']}"},
        'identity': {'password_hash_rounds': 4},
    }, messages=False)


def glance():
    store = f'{STATE}/data/glance'
    return service('glance', {
        'DEFAULT': {'bind_host': HOST, 'bind_port': PORT['glance'], 'workers': 0,
                    'enabled_import_methods': '[]',
                    'node_staging_uri': f'file://{store}/staging'},
        'glance_store': {'stores': 'file', 'default_store': 'file',
                         'filesystem_store_datadir': f'{store}/images'},
        'paste_deploy': {'flavor': 'keystone', 'config_file':
                         '/usr/share/glance-common/glance-api-paste.ini'},
    }, messages=False)


def placement():
    return service('placement', {'placement_database': database('placement')},
                   messages=False)


def nova():
    unlimited = dict.fromkeys(('instances', 'cores', 'ram', 'key_pairs',
                               'server_groups', 'server_group_members'), -1)
    roomy = dict.fromkeys(('cpu_allocation_ratio', 'ram_allocation_ratio',
                           'disk_allocation_ratio'), 128)
    return service('nova', {
        'DEFAULT': {
            'host': 'lab', 'my_ip': HOST, 'state_path': f'{STATE}/data/nova',
            # A server is ACTIVE as soon as it is asked for, and nothing runs.
            'compute_driver': 'fake.FakeDriver',
            'vif_plugging_is_fatal': False, 'vif_plugging_timeout': 0,
            'enabled_apis': 'osapi_compute', 'osapi_compute_workers': 1,
            'osapi_compute_listen': HOST, 'osapi_compute_listen_port': PORT['nova'],
            'reserved_host_memory_mb': 0, 'allow_resize_to_same_host': True,
            # Periodic work starts at once, not after a random minute.
            'periodic_fuzzy_delay': 0, **roomy},
        'api_database': database('nova_api'),
        'conductor': {'workers': 1},
        # The scheduler itself notices the compute host; no discover_hosts by hand.
        'scheduler': {'workers': 1, 'discover_hosts_in_cells_interval': 10},
        'quota': unlimited,
        'wsgi': {'api_paste_config': '/usr/share/nova-common/api-paste.ini'},
        'glance': {'api_servers': url('glance')},
        'neutron': here('neutron'),
        'placement': here('placement'),
        'cinder': {'os_region_name': REGION, 'catalog_info': 'volumev3::publicURL'},
        'service_user': {**account('nova'), 'send_service_user_token': True},
        'vnc': {'enabled': False},
    })


def neutron():
    unlimited = {f'quota_{what}': -1 for what in (
        'network', 'subnet', 'port', 'router', 'floatingip',
        'security_group', 'security_group_rule')}
    return service('neutron', {
        'DEFAULT': {'bind_host': HOST, 'bind_port': PORT['neutron'],
                    'state_path': f'{STATE}/data/neutron',
                    'api_paste_config': '/usr/share/neutron-common/api-paste.ini',
                    'core_plugin': 'ml2', 'service_plugins': 'router',
                    'api_workers': 1, 'rpc_workers': 1, 'rpc_state_report_workers': 0,
                    'dhcp_agent_notification': False},
        'ml2': {'type_drivers': 'flat,vxlan', 'tenant_network_types': 'vxlan',
                'mechanism_drivers': 'magnum_lab',
                'extension_drivers': 'port_security'},
        'ml2_type_flat': {'flat_networks': 'outside'},
        'ml2_type_vxlan': {'vni_ranges': '1:9999'},
        'nova': here('nova'),
        'placement': here('placement'),
        'quotas': unlimited,
    })


def cinder():
    unlimited = dict.fromkeys(('quota_volumes', 'quota_snapshots', 'quota_gigabytes'), -1)
    return service('cinder', {
        'DEFAULT': {'host': 'lab', 'my_ip': HOST, 'state_path': f'{STATE}/data/cinder',
                    'api_paste_config': '/usr/share/cinder-common/api-paste.ini',
                    'osapi_volume_listen': HOST,
                    'osapi_volume_listen_port': PORT['cinder'],
                    'osapi_volume_workers': 1,
                    'enabled_backends': 'rows', 'default_volume_type': 'lab',
                    'glance_api_servers': url('glance'), **unlimited},
        'rows': {'volume_driver': 'magnum_lab.cinder.RowDriver',
                 'volume_backend_name': 'rows'},
        'nova': {**here('nova'), 'interface': 'public'},
        'service_user': {**account('cinder'), 'send_service_user_token': True},
    })


def octavia():
    noop = {f'{part}_driver': f'{part}_noop_driver' for part in (
        'amphora', 'compute', 'image', 'volume', 'distributor')}
    authority = f'{STATE}/data/octavia/authority'
    return service('octavia', {
        'api_settings': {'auth_strategy': 'keystone',
                         'enabled_provider_drivers': 'amphora:no-op,octavia:the same',
                         'default_provider_driver': 'amphora'},
        'controller_worker': {**noop, 'network_driver': 'magnum_lab_network',
                              'workers': 1, 'client_ca': f'{authority}.pem'},
        'certificates': {'cert_generator': 'local_cert_generator',
                         'cert_manager': 'local_cert_manager',
                         'ca_certificate': f'{authority}.pem',
                         'ca_private_key': f'{authority}.key',
                         'server_certs_key_passphrase': SECRET['octavia_secret']},
        'health_manager': {'bind_ip': HOST, 'heartbeat_key': SECRET['octavia_secret']},
        'oslo_messaging': {'topic': 'octavia_prov'},
        'networking': {'allow_vip_port_id': True},
        'neutron': {'region_name': REGION},
        'service_auth': account('octavia'),
    })


def heat():
    return service('heat', {
        'DEFAULT': {'num_engine_workers': 1, 'max_stacks_per_tenant': -1,
                    'region_name_for_services': REGION,
                    'stack_user_domain_name': 'heat',
                    'stack_domain_admin': 'heat_domain_admin',
                    'stack_domain_admin_password': SECRET['heat_domain_admin'],
                    'auth_encryption_key': SECRET['heat_encryption'],
                    'heat_metadata_server_url': url('heat_cfn'),
                    'heat_waitcondition_server_url': url('heat_cfn', '/v1/waitcondition')},
        'paste_deploy': {'api_paste_config': '/etc/heat/api-paste.ini'},
        'heat_api': {'bind_host': HOST, 'bind_port': PORT['heat'], 'workers': 1},
        'heat_api_cfn': {'bind_host': HOST, 'bind_port': PORT['heat_cfn'], 'workers': 1},
        # What it asks again and again: whether a network or a flavor is there.
        'cache': {'enabled': True, 'backend': 'oslo_cache.memcache_pool',
                  'memcache_servers': f"{HOST}:{PORT['memcached']}"},
        'ec2authtoken': {'auth_uri': KEYSTONE},
        'clients_keystone': {'auth_uri': url('keystone')},
        # A trust brings its own scope: with a project here every stack update fails.
        'trustee': user('heat'),
    })


def magnum(state_path, database_file, port):
    clients = {f'{name}_client': {'region_name': REGION} for name in (
        'barbican', 'cinder', 'glance', 'heat', 'magnum', 'neutron', 'nova', 'octavia')}
    return {
        'DEFAULT': {'host': 'lab', 'state_path': os.path.abspath(state_path),
                    'periodic_interval_max': 10, 'transport_url': RABBIT},
        'oslo_messaging_notifications': {'driver': 'messagingv2', 'topics': 'magnum'},
        'api': {'host': HOST, 'port': port},
        'database': {'connection': 'sqlite:///' + os.path.abspath(database_file)},
        'certificates': {'cert_manager_type': 'x509keypair'},
        'cinder': {'default_docker_volume_type': 'lab', 'default_boot_volume_type': 'lab'},
        'trust': {'cluster_user_trust': True, 'trustee_domain_name': 'magnum',
                  'trustee_domain_admin_name': 'magnum_domain_admin',
                  'trustee_domain_admin_domain_name': 'magnum',
                  'trustee_domain_admin_password': SECRET['magnum_domain_admin'],
                  'trustee_keystone_interface': 'public',
                  'trustee_keystone_region_name': REGION},
        'keystone_auth': account('magnum'),
        'keystone_authtoken': tokens('magnum'),
        **clients,
    }


def mariadb():
    return {'mariadbd': {
        'user': 'mysql', 'datadir': f'{STATE}/mariadb/data',
        'socket': f'{STATE}/mariadb/socket', 'pid_file': f'{STATE}/mariadb/pid',
        'init_file': f'{STATE}/mariadb/init.sql',
        'bind_address': HOST, 'port': PORT['mariadb'], 'skip_name_resolve': 1,
        'character_set_server': 'utf8mb3', 'max_connections': 1000,
        'innodb_buffer_pool_size': '256M', 'innodb_log_file_size': '96M',
        # Losing the last second in a crash is fine here; waiting for the disk is not.
        'innodb_flush_log_at_trx_commit': 0, 'innodb_flush_method': 'nosync',
        'innodb_doublewrite': 0, 'skip_log_bin': 1, 'performance_schema': 0}}


DATABASES = ('keystone', 'glance', 'placement', 'nova', 'nova_api', 'nova_cell0',
             'neutron', 'cinder', 'octavia', 'heat')


def init_sql():
    """Run by the server at each start, so that no client needs the password."""
    yield from (f'CREATE DATABASE IF NOT EXISTS {name};' for name in DATABASES)
    yield (f"CREATE OR REPLACE USER 'lab'@'{HOST}' IDENTIFIED BY "
           f"'{SECRET['database']}';")
    yield f"GRANT ALL ON *.* TO 'lab'@'{HOST}';"


def rabbitmq():
    return {'listeners.tcp.1': f"{HOST}:{PORT['rabbitmq']}",
            'default_user': 'lab', 'default_pass': SECRET['messaging'],
            'disk_free_limit.absolute': '50MB',
            'log.console': 'true', 'log.file': 'false'}


def ini(sections):
    for section, options in sections.items():
        yield f'[{section}]'
        yield from (f'{name} = {value}' for name, value in options.items())
        yield ''


def write(path, lines):
    """For its owner only; whose folder it is in is `up`'s business."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        file.writelines(f'{line}\n' for line in lines)


def main():
    if sys.argv[1:2] == ['magnum']:
        sys.stdout.writelines(f'{line}\n' for line in ini(magnum(*sys.argv[2:])))
        return
    for make in (keystone, glance, placement, nova, neutron, cinder, octavia, heat):
        write(f'{ETC}/{make.__name__}.conf', ini(make()))
    write(f'{ETC}/policy.yaml', ['{}'])
    write(f'{STATE}/mariadb/server.cnf', ini(mariadb()))
    write(f'{STATE}/mariadb/init.sql', init_sql())
    write(f'{STATE}/rabbitmq/rabbitmq.conf',
          (f'{name} = {value}' for name, value in rabbitmq().items()))


main()
