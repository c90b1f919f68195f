package coreos_test

import (
	"testing"

	"github.com/go-magnum/magnum/drivers-k8s-coreos/coreos"
	"github.com/go-magnum/magnum/sdk/k8s/k8stest"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// container and fedora are the drivers with what their distributions have
// otherwise.
func container() k8stest.Kit {
	return k8stest.Kit{
		Definition: coreos.Container, Folder: "container", Engine: "docker", Storage: "overlay",
		Page: "../../docs/drivers/k8s-coreos.md",
		Machine: func(m *templatetest.Machine) {
			m.Remove("podman")
			m.Program("update-ca-certificates", "")
		},
	}
}

func fedora() k8stest.Kit {
	return k8stest.Kit{
		Definition: coreos.Fedora, Folder: "fedora", Engine: "podman", Storage: "overlay2",
		Page: "../../docs/drivers/k8s-fedora-coreos.md",
		Machine: func(m *templatetest.Machine) {
			m.Write("etc/selinux/config", "SELINUX=enforcing\n")
			m.Write("run/systemd/resolve/resolv.conf", "nameserver 10.0.0.2\n")
			for _, p := range []string{"setenforce", "restorecon", "update-ca-trust"} {
				m.Program(p, "")
			}
		},
	}
}

func TestContainer(t *testing.T) { container().Run(t) }
func TestFedora(t *testing.T)    { fedora().Run(t) }
