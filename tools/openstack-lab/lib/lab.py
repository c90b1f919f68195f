"""What the Python parts of the lab know about it: ports, passwords, region."""
import os

HOST = '127.0.0.1'
REGION = 'RegionOne'
STATE = os.environ['LAB_STATE']
PORT = {name: int(port) for name, port in
        (pair.split('=') for pair in os.environ['LAB_PORTS'].split())}

with open(os.path.join(STATE, 'secrets')) as _file:
    SECRET = dict(line.strip().split('=', 1) for line in _file)


def url(service, path=''):
    return f'http://{HOST}:{PORT[service]}{path}'


KEYSTONE = url('keystone', '/v3')
