package mesos

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// scripts are what masters and workers run. All programs are on the image;
// there they are set up and started.
func scripts() map[string][]template.Fragment {
	// The insecure registry is in docker's daemon.json.
	shared := slices.DeleteFunc(infra.Steps(), func(f template.Fragment) bool { return f.File == "boot/step/registry.sh" })
	first, last := infra.Step("010-image", "image"), infra.Step("900-ready", "ready")
	rexray, service := infra.Step("060-rexray", "rexray"), infra.Service("rexray")
	rexray.When, service.When = infra.UsesRexRay, infra.UsesRexRay
	return map[string][]template.Fragment{
		"master-steps": slices.Concat([]template.Fragment{first}, shared, []template.Fragment{
			infra.Step("100-zookeeper", "zookeeper"), infra.Step("110-mesos-master", "mesos-master"), infra.Step("120-marathon", "marathon"), last,
		}),
		"slave-steps": slices.Concat([]template.Fragment{first}, shared, []template.Fragment{
			infra.Step("050-docker", "docker-daemon"), rexray, infra.Step("100-mesos-slave", "mesos-slave"), last,
		}),
		"master-services": {},
		"slave-services":  {service},
	}
}
