package devcloud

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
)

// networkLookup gives the networks and subnets that are not a stack's.
type networkLookup func() ([]Network, []Subnet)

func (c *Cloud) stockNetwork() ([]Network, []Subnet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.stock.networks), slices.Clone(c.stock.subnets)
}

// addressBook hands out addresses. Stacks' own networks live here only.
type addressBook struct {
	lookup   networkLookup
	networks []*Network
	subnets  []*Subnet
	ports    map[string]*heatPort
	used     map[string]map[netip.Addr]bool // by subnet
	floating map[netip.Addr]bool
}

// heatPort is where a server meets a network.
type heatPort struct {
	id, name, mac string
	network       *Network
	subnet        *Subnet
	address       netip.Addr
	groups        []string // its security groups
}

func newAddressBook(lookup networkLookup) *addressBook {
	return &addressBook{lookup: lookup, ports: map[string]*heatPort{}, used: map[string]map[netip.Addr]bool{}, floating: map[netip.Addr]bool{}}
}

// network finds a network by id or name, a stack's before the cloud's.
func (b *addressBook) network(ident string) (*Network, error) {
	for _, n := range b.networks {
		if n.ID == ident {
			return n, nil
		}
	}
	stock, _ := b.lookup()
	for _, n := range stock {
		if n.ID == ident || n.Name == ident {
			return &n, nil
		}
	}
	for _, n := range b.networks {
		if n.Name == ident {
			return n, nil
		}
	}
	return nil, fmt.Errorf("Unable to find network with name or id '%s'", ident)
}

// subnet finds a subnet by id or name.
func (b *addressBook) subnet(ident string) (*Subnet, error) {
	_, stock := b.lookup()
	for _, s := range b.subnets {
		if s.ID == ident {
			return s, nil
		}
	}
	for _, s := range stock {
		if s.ID == ident || s.Name == ident {
			return &s, nil
		}
	}
	for _, s := range b.subnets {
		if s.Name == ident {
			return s, nil
		}
	}
	return nil, fmt.Errorf("Unable to find subnet with name or id '%s'", ident)
}

// subnetOf is a network's first subnet.
func (b *addressBook) subnetOf(networkID string) (*Subnet, error) {
	for _, s := range b.subnets {
		if s.NetworkID == networkID {
			return s, nil
		}
	}
	_, stock := b.lookup()
	for _, s := range stock {
		if s.NetworkID == networkID {
			return &s, nil
		}
	}
	return nil, fmt.Errorf("No subnet on network %s", networkID)
}

// take reserves an address: the one asked for, or the subnet's next. The first
// two belong to the gateway and to DHCP.
func (b *addressBook) take(s *Subnet, wanted string) (netip.Addr, error) {
	prefix, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("subnet %s: %w", s.ID, err)
	}
	used := b.used[s.ID]
	if used == nil {
		used = map[netip.Addr]bool{}
		b.used[s.ID] = used
	}
	if wanted != "" {
		addr, err := netip.ParseAddr(wanted)
		if err != nil || !prefix.Contains(addr) {
			return netip.Addr{}, fmt.Errorf("IP address %s is not a valid IP for the specified subnet.", wanted)
		}
		used[addr] = true
		return addr, nil
	}
	addr := prefix.Masked().Addr().Next().Next().Next()
	for ; prefix.Contains(addr); addr = addr.Next() {
		if !used[addr] && addr.String() != s.Gateway && prefix.Contains(addr.Next()) {
			used[addr] = true
			return addr, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("No more IP addresses available on network %s.", s.NetworkID)
}

func (b *addressBook) release(s *Subnet, addr netip.Addr) {
	if s != nil {
		delete(b.used[s.ID], addr)
	}
}

// plug makes a port.
func (b *addressBook) plug(id, name string, network *Network, subnet *Subnet, wanted string) (*heatPort, error) {
	addr, err := b.take(subnet, wanted)
	if err != nil {
		return nil, err
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // a hash takes anything
	sum := hash.Sum(nil)
	p := &heatPort{id: id, name: name, network: network, subnet: subnet, address: addr,
		mac: fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", sum[0], sum[1], sum[2])}
	b.ports[id] = p
	return p, nil
}

func (b *addressBook) unplug(id string) {
	if p := b.ports[id]; p != nil {
		b.release(p.subnet, p.address)
		delete(b.ports, id)
	}
}

// float reserves an address of the public network. It is a part of loopback:
// who dials the address of a cluster that is not there, reaches nobody.
func (b *addressBook) float() (netip.Addr, error) {
	prefix := netip.MustParsePrefix(publicCIDR)
	addr := prefix.Addr().Next().Next()
	for ; prefix.Contains(addr.Next()); addr = addr.Next() {
		if !b.floating[addr] {
			b.floating[addr] = true
			return addr, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("No more IP addresses available on network public.")
}
