package openstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/external"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// Network is what matters of a network.
type Network struct{ ID, Name string }

// Subnet is what matters of a subnet.
type Subnet struct{ ID, Name, NetworkID, CIDR string }

// ExternalNetwork finds a network that leads outside, by id or name.
func (l *Lookup) ExternalNetwork(ctx context.Context, id *keystone.Identity, ident string) (Network, error) {
	outside := true
	return l.network(ctx, id, ident, "external network", func(opts networks.ListOpts) networks.ListOptsBuilder {
		return external.ListOptsExt{ListOptsBuilder: opts, External: &outside}
	})
}

// Network finds a network for clusters to live in, by id or name.
func (l *Lookup) Network(ctx context.Context, id *keystone.Identity, ident string) (Network, error) {
	return l.network(ctx, id, ident, "fixed network", func(opts networks.ListOpts) networks.ListOptsBuilder { return opts })
}

func (l *Lookup) network(
	ctx context.Context, id *keystone.Identity, ident, what string,
	narrow func(networks.ListOpts) networks.ListOptsBuilder,
) (Network, error) {
	return resource(ctx, l, id, ident, what, func(n Network) string { return n.Name },
		func(client *gophercloud.ServiceClient, byID bool) pagination.Pager {
			opts := networks.ListOpts{Name: ident}
			if byID {
				opts = networks.ListOpts{ID: ident}
			}
			return networks.List(client, narrow(opts))
		},
		func(page pagination.Page) ([]Network, error) {
			some, err := networks.ExtractNetworks(page)
			found := make([]Network, len(some))
			for i, n := range some {
				found[i] = Network{ID: n.ID, Name: n.Name}
			}
			return found, err
		})
}

// Subnet finds a subnet by id or name.
func (l *Lookup) Subnet(ctx context.Context, id *keystone.Identity, ident string) (Subnet, error) {
	return resource(ctx, l, id, ident, "fixed subnet", func(s Subnet) string { return s.Name },
		func(client *gophercloud.ServiceClient, byID bool) pagination.Pager {
			opts := subnets.ListOpts{Name: ident}
			if byID {
				opts = subnets.ListOpts{ID: ident}
			}
			return subnets.List(client, opts)
		},
		func(page pagination.Page) ([]Subnet, error) {
			some, err := subnets.ExtractSubnets(page)
			found := make([]Subnet, len(some))
			for i, s := range some {
				found[i] = Subnet{ID: s.ID, Name: s.Name, NetworkID: s.NetworkID, CIDR: s.CIDR}
			}
			return found, err
		})
}

// resource finds one of Neutron's resources: by id if the text looks like
// one, and else, or if there is none of that id, by name.
func resource[T any](
	ctx context.Context, l *Lookup, id *keystone.Identity, ident, what string, name func(T) string,
	list func(client *gophercloud.ServiceClient, byID bool) pagination.Pager,
	extract func(pagination.Page) ([]T, error),
) (T, error) {
	var none T
	if ident == "" { // no filter would be every one
		return none, unfound(what, ident)
	}
	var found []T
	err := l.ask(ctx, id, l.neutron(), func(ctx context.Context, client *gophercloud.ServiceClient) error {
		collect := func(page pagination.Page) (bool, error) {
			some, err := extract(page)
			found = append(found, some...)
			return true, err
		}
		if isID(ident) {
			if err := l.pages(ctx, list(client, true), collect); err != nil || len(found) > 0 {
				return err
			}
		}
		return l.pages(ctx, list(client, false), collect)
	})
	switch {
	case errors.Is(err, errForbidden):
		return none, magnum.Errorf(magnum.Forbidden, "Not authorized for %s %s.", what, ident)
	case err != nil:
		return none, fmt.Errorf("look up %s: %w", what, l.neutron().listed(err))
	}
	match, missing, several := one(found, name, ident)
	switch {
	case missing:
		return none, unfound(what, ident)
	case several:
		return none, ambiguous(what, ident)
	}
	return match, nil
}

func unfound(what, ident string) error {
	return magnum.Errorf(magnum.Invalid, "Unable to find %s %s.", what, ident)
}

// ambiguous is upstream's text, which calls a fixed network just a network.
func ambiguous(what, ident string) error {
	switch what {
	case "fixed network":
		what = "network"
	case "fixed subnet":
		what = "subnet"
	}
	return magnum.Errorf(magnum.Conflict,
		"Multiple %ss exist with same name '%s'. Please use the %s ID instead.", what, ident, what)
}
