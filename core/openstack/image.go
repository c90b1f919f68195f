package openstack

import (
	"context"
	"errors"
	"fmt"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/pagination"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// Image is what matters of an image.
type Image struct {
	ID   string
	Name string
	// OSDistro is the property os_distro; empty if the image has none.
	OSDistro string
	// Driver is the property magnum_driver, the driver that clusters of the image
	// are made by; empty if the image leaves that to their type.
	Driver string
	// Properties are the free ones, those that are texts.
	Properties map[string]string
}

// Image finds an image by id or name.
func (l *Lookup) Image(ctx context.Context, id *keystone.Identity, ident string) (Image, error) {
	if ident == "" {
		return Image{}, imageMissing(ident) // no filter would be every image
	}
	var found []images.Image
	byID := isID(ident)
	err := l.ask(ctx, id, l.glance(), func(ctx context.Context, client *gophercloud.ServiceClient) error {
		if byID {
			image, err := images.Get(ctx, client, ident).Extract()
			if err == nil {
				found = []images.Image{*image}
			}
			return err
		}
		list := images.List(client, images.ListOpts{Name: ident})
		return l.pages(ctx, list, func(page pagination.Page) (bool, error) {
			more, err := images.ExtractImages(page)
			found = append(found, more...)
			return true, err
		})
	})
	switch {
	case byID && errors.Is(err, errNotFound):
		return Image{}, imageMissing(ident)
	case errors.Is(err, errForbidden):
		return Image{}, magnum.Errorf(magnum.Forbidden, "Not authorized for image %s.", ident)
	case err != nil:
		return Image{}, fmt.Errorf("look up image: %w", l.glance().listed(err))
	}
	match, missing, several := one(found, func(i images.Image) string { return i.Name }, ident)
	switch {
	case missing:
		return Image{}, imageMissing(ident)
	case several:
		return Image{}, magnum.Errorf(magnum.Conflict,
			"Multiple images exist with same name '%s'. Please use the image ID instead.", ident)
	}
	image := Image{ID: match.ID, Name: match.Name, Properties: map[string]string{}}
	for name, value := range match.Properties {
		if text, ok := value.(string); ok {
			image.Properties[name] = text
		}
	}
	image.OSDistro, image.Driver = image.Properties["os_distro"], image.Properties["magnum_driver"]
	return image, nil
}

func imageMissing(ident string) error {
	return magnum.Errorf(magnum.Invalid, "Image %s could not be found.", ident)
}
