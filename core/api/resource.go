package api

import (
	"context"
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
func (a *api) distro(rq *request, t *magnum.ClusterTemplate) (string, error) {
	if t.ClusterDistro != "" {
		return t.ClusterDistro, nil
	}
	image, err := a.Lookup.Image(rq.Context(), rq.caller, t.ImageID)
	return image.OSDistro, err
}

// checkResources looks up what a template and a cluster name in the cloud, all
// at the same time. Of several that are missing the first in upstream's order
// is named. It returns the image's os_distro.
func (a *api) checkResources(rq *request, t *magnum.ClusterTemplate, flavor, masterFlavor string) (string, error) {
	var image openstack.Image
	looks := []func(context.Context) error{
		func(ctx context.Context) (err error) {
			image, err = a.Lookup.Image(ctx, rq.caller, t.ImageID)
			if err == nil && image.OSDistro == "" {
				err = badRequest("Image %s doesn't contain os_distro field.", t.ImageID)
			}
			return err
		},
	}
	for _, ident := range []string{flavor, masterFlavor} {
		if ident != "" {
			looks = append(looks, func(ctx context.Context) error {
				_, err := a.Lookup.Flavor(ctx, rq.caller, ident)
				return err
			})
		}
	}
	if t.ExternalNetworkID != "" {
		looks = append(looks, func(ctx context.Context) error {
			_, err := a.Lookup.ExternalNetwork(ctx, rq.caller, t.ExternalNetworkID)
			return err
		})
	}
	err := inOrder(rq.Context(), looks)
	return image.OSDistro, err
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
