package swarm

import (
	"net/netip"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// devicemapper is set up by a program that Fedora Atomic alone has.
func devicemapper(v *template.Values) []driver.Violation {
	if v.Template.DockerStorageDriver != "devicemapper" || v.Template.ClusterDistro == atomic {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "docker_storage_driver",
		"Docker storage driver devicemapper is not supported on %s, expecting a overlay2/overlay/unspecified storage driver.", v.Template.ClusterDistro)
}

// pool is where the engines take the subnets of their networks from, as
// boot/step/swarm.sh says it to them.
const pool = "10.255.0.0/16"

// addressPool: a host that has the same addresses as containers cannot be
// reached by them.
func addressPool(v *template.Values) []driver.Violation {
	own, err := netip.ParsePrefix(infra.SubnetCIDR(v))
	if err != nil || !own.Overlaps(netip.MustParsePrefix(pool)) {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "labels/fixed_subnet_cidr",
		"fixed_subnet_cidr %s overlaps %s, from which Docker takes the subnets of its networks.", own, pool)
}
