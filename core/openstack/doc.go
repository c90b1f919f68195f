// Package openstack looks up what a request names in the cloud: images,
// flavors, key pairs, networks and subnets, with the caller's own token, so
// that nobody can use what they cannot see.
//
// What does not exist is an *magnum.Error in upstream's words; a service
// that fails or takes too long is magnum.Unavailable and named.
package openstack
