package atomic

import (
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// scripts are those of Kubernetes with what Fedora Atomic has otherwise.
func scripts() map[string][]template.Fragment {
	return k8s.Scripts(infra.Step("010-selinux", "selinux"), infra.Step("050-docker", "docker"))
}
