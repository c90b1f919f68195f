package atomic

import (
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// checks refuse what would otherwise fail on the nodes, or be dropped in
// silence.
func checks() []infra.Check {
	return append(k8s.Checks(), infra.StorageDrivers("overlay2", "overlay", "devicemapper"), infra.Metal("boot_volume_size", "etcd_volume_size"))
}
