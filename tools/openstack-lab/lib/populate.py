#!/usr/bin/python3
"""Fills the lab: accounts and catalogue, then images, flavors, networks and the like.

    populate.py accounts    needs keystone alone
    populate.py cloud       needs every service; returns when the cloud takes work

Both may be run again: what is there already stays.
"""
import concurrent.futures
import os
import sys
import time
import traceback

from keystoneauth1 import adapter, session
from keystoneauth1.exceptions import ClientException
from keystoneauth1.identity import v3

from lab import KEYSTONE, REGION, SECRET, url

CATALOGUE = (
    ('glance', 'image', url('glance')),
    ('placement', 'placement', url('placement')),
    ('nova', 'compute', url('nova', '/v2.1')),
    ('neutron', 'network', url('neutron')),
    ('cinder', 'volumev3', url('cinder', '/v3/%(project_id)s')),
    ('octavia', 'load-balancer', url('octavia')),
    ('heat', 'orchestration', url('heat', '/v1/%(project_id)s')),
    ('heat-cfn', 'cloudformation', url('heat_cfn', '/v1')),
    ('magnum', 'container-infra', url('magnum', '/v1')),
)
SERVICE_USERS = ('glance', 'placement', 'nova', 'neutron', 'cinder', 'octavia', 'heat', 'magnum')
TENANT_ROLES = ('member', 'heat_stack_owner', 'load-balancer_member')
PEOPLE = (  # user, project, roles
    ('admin', 'admin', ('admin', *TENANT_ROLES)),
    ('demo', 'demo', TENANT_ROLES),
    ('demo-reader', 'demo', ('reader',)),
    ('alt', 'alt', TENANT_ROLES),
)
IMAGES = (  # name, os_distro
    ('fedora-atomic-latest', 'fedora-atomic'), ('fedora-coreos-latest', 'fedora-coreos'),
    ('coreos-latest', 'coreos'), ('coreos-stable', 'coreos'), ('ubuntu-mesos', 'ubuntu'),
    ('debian-latest', 'debian'), ('fedora-latest', 'fedora'), ('no-distro', None))
FLAVORS = (('m1.tiny', 1, 512, 1), ('m1.small', 1, 2048, 20),
           ('m1.medium', 2, 4096, 40), ('m1.large', 4, 8192, 80))


def cloud(user, project):
    """A function from service type to that service's API as this user sees it."""
    sess = session.Session(v3.Password(
        KEYSTONE, username=user, password=SECRET[user], project_name=project,
        user_domain_name='Default', project_domain_name='Default'))
    return lambda kind: adapter.Adapter(
        sess, service_type=kind, interface='public', region_name=REGION,
        connect_retries=5, raise_exc=True)


def ensure(api, path, body, **narrow):
    """The thing at path that has body's name, made if there is none."""
    plural = path.rsplit('/', 1)[-1]
    for thing in api.get(path, params={'name': body['name'], **narrow}).json()[plural]:
        if thing['name'] == body['name']:
            return thing
    return api.post(path, json={plural[:-1]: body}).json()[plural[:-1]]


def until(what, check, seconds=150):
    """Waits for what has no port to knock at: agents, mappings, warm caches."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if check():
                return
            problem = 'not yet'
        except ClientException as error:
            problem = error
        if time.monotonic() > deadline:
            raise TimeoutError(f'{what} is not there after {seconds} s: {problem}')
        time.sleep(0.5)


def accounts():
    api = cloud('admin', 'admin')('identity')

    def grant(where, user, role):
        api.put(f"{where}/users/{user['id']}/roles/{roles[role]['id']}")

    def account(name, domain):
        return ensure(api, '/users', {'name': name, 'domain_id': domain,
                                      'password': SECRET[name]}, domain_id=domain)

    roles = {name: ensure(api, '/roles', {'name': name}) for name in (
        'admin', 'reader', 'service', 'heat_stack_user', 'load-balancer_admin', *TENANT_ROLES)}
    projects = {name: ensure(api, '/projects', {'name': name, 'domain_id': 'default'},
                             domain_id='default')
                for name in ('service', 'admin', 'demo', 'alt')}

    people = PEOPLE + tuple((name, 'service', ('admin', 'service')) for name in SERVICE_USERS)
    for name, project, granted in people:
        user = account(name, 'default')
        for role in granted:
            grant(f"/projects/{projects[project]['id']}", user, role)
    # The domains of Heat's stack users and of Magnum's trustees, each with its own admin.
    for name in ('heat', 'magnum'):
        domain = ensure(api, '/domains', {'name': name})['id']
        grant(f'/domains/{domain}', account(f'{name}_domain_admin', domain), 'admin')

    for name, kind, address in CATALOGUE:
        service = ensure(api, '/services', {'name': name, 'type': kind})['id']
        have = api.get('/endpoints', params={'service_id': service}).json()['endpoints']
        for side in ('public', 'internal', 'admin'):
            endpoint = {'service_id': service, 'interface': side,
                        'region_id': REGION, 'url': address}
            old = [e for e in have if e['interface'] == side]
            if not old:
                api.post('/endpoints', json={'endpoint': endpoint})
            elif old[0]['url'] != address:  # Magnum moved
                api.patch(f"/endpoints/{old[0]['id']}", json={'endpoint': {'url': address}})


def images(admin, _):
    api = admin('image')
    have = {i['name']: i for i in api.get('/v2/images').json()['images']}
    for name, distro in IMAGES:
        image = have.get(name) or api.post('/v2/images', json={
            'name': name, 'visibility': 'public', 'disk_format': 'raw',
            'container_format': 'bare', **({'os_distro': distro} if distro else {})}).json()
        if image['status'] == 'queued':
            api.put(f"/v2/images/{image['id']}/file", data=bytes(4096),
                    headers={'Content-Type': 'application/octet-stream'})


def servers(admin, demo):
    have = {f['name'] for f in admin('compute').get('/flavors').json()['flavors']}
    for name, vcpus, ram, disk in FLAVORS:
        if name not in have:
            admin('compute').post('/flavors', json={'flavor': {
                'name': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk}})
    for tenant in (admin, demo):
        api = tenant('compute')
        have = api.get('/os-keypairs').json()['keypairs']
        if 'testkey' not in {k['keypair']['name'] for k in have}:
            # Nova makes the pair; nobody logs in anywhere, so the private half is dropped.
            api.post('/os-keypairs', json={'keypair': {'name': 'testkey'}})
    # Only hosts that the scheduler has found are listed.
    until('the compute host', lambda: admin('compute').get(
        '/os-hypervisors').json()['hypervisors'])


def networks(admin, demo):
    api = admin('network')
    public = ensure(api, '/v2.0/networks', {
        'name': 'public', 'router:external': True,
        'provider:network_type': 'flat', 'provider:physical_network': 'outside'})
    # inside loopback: a call to a cluster that is not there reaches nobody
    ensure(api, '/v2.0/subnets', {
        'name': 'public-subnet', 'network_id': public['id'], 'ip_version': 4,
        'cidr': '127.24.4.0/22', 'enable_dhcp': False})
    api = demo('network')
    inside = ensure(api, '/v2.0/networks', {'name': 'demo-net'})
    subnet = ensure(api, '/v2.0/subnets', {
        'name': 'demo-subnet', 'network_id': inside['id'], 'ip_version': 4,
        'cidr': '10.20.0.0/24', 'dns_nameservers': ['192.0.2.53']})
    router = ensure(api, '/v2.0/routers', {
        'name': 'demo-router', 'external_gateway_info': {'network_id': public['id']}})
    ports = api.get('/v2.0/ports', params={'device_id': router['id']}).json()['ports']
    if not ports:
        api.put(f"/v2.0/routers/{router['id']}/add_router_interface",
                json={'subnet_id': subnet['id']})


def volumes(admin, _):
    api = admin('volumev3')
    if 'lab' not in {t['name'] for t in api.get('/types').json()['volume_types']}:
        api.post('/types', json={'volume_type': {
            'name': 'lab', 'extra_specs': {'volume_backend_name': 'rows'}}})
    # Filled by what the volume service reports, so both it and the scheduler are there.
    until('cinder-volume', lambda: api.get('/scheduler-stats/get_pools').json()['pools'])


def stacks(admin, _):
    # Only an engine can answer this, so the answer is proof enough.
    until('heat-engine', lambda: admin('orchestration').get('/services').json()['services'])


def main():
    if sys.argv[1] == 'accounts':
        accounts()
        return
    admin, demo = cloud('admin', 'admin'), cloud('demo', 'demo')
    workers = concurrent.futures.ThreadPoolExecutor()
    fills = [workers.submit(fill, admin, demo)
             for fill in (images, servers, networks, volumes, stacks)]
    try:
        for done in concurrent.futures.as_completed(fills):
            done.result()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the others may wait for minutes for what will not come


main()
