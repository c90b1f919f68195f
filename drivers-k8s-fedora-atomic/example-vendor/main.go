// Command magnum-driver-example-vendor shows how a vendor makes a driver of
// ours do a little more: labels that a cloud's own scheduler reads go to Nova
// as the metadata of the workers' servers. All else is, and stays, as in the
// driver that it starts from.
package main

import (
	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/serve"
	"github.com/go-magnum/magnum/sdk/template"
)

var version = "0.0.0-dev" // set by the linker

func main() {
	d := definition()
	serve.Main(serve.Plugin{
		Name: d.Name, Version: d.Version, Driver: d, Templates: d,
		Scaling: k8s.Scaling{}, Monitoring: k8s.MonitoringOf(d),
	})
}

func definition() *template.Definition {
	d := atomic.Definition()
	d.Name, d.DisplayName, d.Version = "k8s_example_vendor_v1", "Kubernetes on Fedora Atomic, with instance stores", version
	d.Types = d.Types[:1]    // virtual machines alone have such stores
	d.Types[0].Priority = 10 // before ours where both are installed
	for _, l := range labels() {
		d.SetLabel(l)
	}
	d.SetParameter(template.Parameter{Name: atomic.WorkerMetadata, From: template.Computed("labels of stores", stores)})
	return d
}

// labels are those that are passed on. A node group may have its own.
func labels() []template.Label {
	label := func(name, about string) template.Label {
		return template.Label{Name: name, Description: about, Pattern: `[A-Za-z0-9_.:-]{1,255}`, Since: "1.0.0", PerNodeGroup: true}
	}
	return []template.Label{
		label("instance_store_type", "Kind of store for the disks of workers."),
		label("instance_store_uuid", "Store for the disks of workers, by its UUID."),
		label("image_store_type", "Kind of store that the workers' image is taken from."),
		label("image_store_uuid", "Store that the workers' image is taken from, by its UUID."),
	}
}

// stores are the labels that are set, as JSON.
func stores(v *template.Values) string {
	set := map[string]string{}
	for _, l := range labels() {
		if value := v.Label(l.Name); value != "" {
			set[l.Name] = value
		}
	}
	return template.JSON(set)
}
