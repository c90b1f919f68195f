"""Octavia with imaginary amphorae but real addresses.

A stack puts a floating IP on its load balancer's port, so that port has to be
Neutron's; whatever would be plugged into an amphora stays with the no-op driver.
"""
import functools

from octavia.network import base
from octavia.network.drivers.neutron import allowed_address_pairs
from octavia.network.drivers.noop_driver import driver


@functools.cache
def _neutron():
    # Not before it is needed: it asks Neutron for its extensions right away.
    return allowed_address_pairs.AllowedAddressPairsDriver()


def _either(method, missing):
    """Neutron's answer, or an invented one for the ids that no-op compute invented."""
    def get(self, ident, context=None):
        try:
            return getattr(_neutron(), method)(ident, context)
        except missing:
            return getattr(driver.NoopNetworkDriver, method)(self, ident, context)
    return get


class RealAddressDriver(driver.NoopNetworkDriver):
    get_network = _either('get_network', base.NetworkNotFound)
    get_subnet = _either('get_subnet', base.SubnetNotFound)
    get_port = _either('get_port', base.PortNotFound)

    def allocate_vip(self, loadbalancer):
        return _neutron().allocate_vip(loadbalancer)

    def deallocate_vip(self, vip):
        if vip.octavia_owned:
            _neutron().delete_port(vip.port_id)
