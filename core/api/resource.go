package api

import (
	"context"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/openstack"
)

// checkVolumeSize is the one rule about storage that upstream's API has.
func checkVolumeSize(storage string, size int) error {
	if storage != "devicemapper" || size >= 3 {
		return nil
	}
	shown := "None"
	if size != 0 {
		shown = strconv.Itoa(size)
	}
	return badRequest("docker volume size %s GB is not valid, expecting minimum value 3GB for %s storage driver.", shown, storage)
}

// distro is what a new template's driver is looked up by: what the body says,
// or else what the image says.
func (a *api) distro(rq *request, t *magnum.ClusterTemplate) (openstack.Image, error) {
	if t.ClusterDistro != "" {
		return openstack.Image{OSDistro: t.ClusterDistro}, nil
	}
	return a.Lookup.Image(rq.Context(), rq.caller, t.ImageID)
}

// resources are those that a template and a cluster name in the cloud.
type resources struct {
	image   openstack.Image
	flavors []openstack.Flavor
}

// checkResources looks up what a template and a cluster name in the cloud, all
// at the same time. Of several that are missing the first in upstream's order
// is named.
func (a *api) checkResources(rq *request, t *magnum.ClusterTemplate, flavor, masterFlavor string) (*resources, error) {
	var image openstack.Image
	idents := given(flavor, masterFlavor)
	flavors := make([]openstack.Flavor, len(idents))
	looks := []func(context.Context) error{
		func(ctx context.Context) (err error) {
			image, err = a.Lookup.Image(ctx, rq.caller, t.ImageID)
			if err == nil && image.OSDistro == "" {
				err = badRequest("Image %s doesn't contain os_distro field.", t.ImageID)
			}
			return err
		},
	}
	for i, ident := range idents {
		looks = append(looks, a.flavor(rq, ident, &flavors[i]))
	}
	if t.ExternalNetworkID != "" {
		looks = append(looks, func(ctx context.Context) error {
			_, err := a.Lookup.ExternalNetwork(ctx, rq.caller, t.ExternalNetworkID)
			return err
		})
	}
	err := inOrder(rq.Context(), looks)
	return &resources{image, flavors}, err
}

// given leaves out what is not set: Heat's own default then.
func given(idents ...string) []string {
	return slices.DeleteFunc(idents, func(s string) bool { return s == "" })
}

func (a *api) flavor(rq *request, ident string, found *openstack.Flavor) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		*found, err = a.Lookup.Flavor(ctx, rq.caller, ident)
		return err
	}
}

// checkFlavors looks once more at what nodes to come are made of.
func (a *api) checkFlavors(rq *request, labels magnum.Labels, idents ...string) error {
	flavors := make([]openstack.Flavor, len(idents))
	looks := make([]func(context.Context) error, len(idents))
	for i, ident := range idents {
		looks[i] = a.flavor(rq, ident, &flavors[i])
	}
	if err := inOrder(rq.Context(), looks); err != nil {
		return err
	}
	return a.checkRootDisks(labels, flavors...)
}

// checkRootDisks refuses flavors without a disk where servers do not boot from a
// volume: Nova would take the image's own size for it, or refuse them.
func (a *api) checkRootDisks(labels magnum.Labels, flavors ...openstack.Flavor) error {
	size := a.Options.Cinder.DefaultBootVolumeSize
	if label, ok := labels["boot_volume_size"]; ok {
		var err error
		if size, err = strconv.Atoi(label); err != nil {
			return badRequest("boot_volume_size must be an integer, not '%s'.", label)
		}
	}
	if size > 0 {
		return nil
	}
	for _, flavor := range flavors {
		if flavor.Disk == 0 {
			return badRequest("Flavor with zero root volume size is not supported when boot_volume_size is zero.")
		}
	}
	return nil
}

// inOrder runs look-ups at the same time and returns the error of the first in
// the list that fails, whichever was the fastest.
func inOrder(ctx context.Context, looks []func(context.Context) error) error {
	errs := make([]error, len(looks))
	var g errgroup.Group
	for i, look := range looks {
		g.Go(func() error {
			errs[i] = look(ctx)
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
