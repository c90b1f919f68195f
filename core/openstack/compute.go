package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// Flavor is what matters of a flavor.
type Flavor struct {
	ID   string
	Name string
	Disk int // GB of its root disk; 0 has none of its own
}

// Flavor finds a flavor by id or name among those that the caller may see.
func (l *Lookup) Flavor(ctx context.Context, id *keystone.Identity, ident string) (Flavor, error) {
	var found *Flavor
	err := l.ask(ctx, id, l.nova(), func(ctx context.Context, client *gophercloud.ServiceClient) error {
		list := flavors.ListDetail(client, flavors.ListOpts{})
		return l.pages(ctx, list, func(page pagination.Page) (bool, error) {
			some, err := flavors.ExtractFlavors(page)
			for _, flavor := range some {
				if flavor.ID == ident || flavor.Name == ident {
					found = &Flavor{ID: flavor.ID, Name: flavor.Name, Disk: flavor.Disk}
					break
				}
			}
			return found == nil, err
		})
	})
	switch {
	case errors.Is(err, errForbidden):
		return Flavor{}, magnum.Errorf(magnum.Forbidden, "Not authorized for flavor %s.", ident)
	case err != nil:
		return Flavor{}, fmt.Errorf("look up flavor: %w", l.nova().listed(err))
	case found == nil:
		return Flavor{}, magnum.Errorf(magnum.Invalid, "Unable to find flavor %s.", ident)
	}
	return *found, nil
}

// Keypair makes sure that the caller has a key pair of that name.
func (l *Lookup) Keypair(ctx context.Context, id *keystone.Identity, name string) error {
	if name == "" || name == "." || name == ".." {
		return keypairMissing(name) // no part of a path
	}
	err := l.ask(ctx, id, l.nova(), func(ctx context.Context, client *gophercloud.ServiceClient) error {
		// Any text may be asked for; in a path it must stay one part of it.
		return keypairs.Get(ctx, client, url.PathEscape(name), nil).Err
	})
	switch {
	case errors.Is(err, errNotFound):
		return keypairMissing(name)
	case errors.Is(err, errForbidden):
		return magnum.Errorf(magnum.Forbidden, "Not authorized for keypair %s.", name)
	case err != nil:
		return fmt.Errorf("look up keypair: %w", err)
	}
	return nil
}

func keypairMissing(name string) error {
	return magnum.Errorf(magnum.NotFound, "Unable to find keypair %s.", name)
}
