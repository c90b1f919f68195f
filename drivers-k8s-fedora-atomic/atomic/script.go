package atomic

import (
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// scripts are those of Kubernetes with what Fedora has otherwise. An image for
// bare metal is of somebody's own making, and may lack something.
func scripts() map[string][]template.Fragment {
	image := infra.Step("008-image", "image")
	image.When = infra.OnMetal
	return k8s.Scripts(image, infra.Step("010-selinux", "selinux"), infra.Step("050-docker", "docker"))
}
