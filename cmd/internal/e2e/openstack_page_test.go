package e2e

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRealPages runs on a real OpenStack what the drivers' pages say: what a user
// copies, up to three masters and eight workers.
func TestRealPages(t *testing.T) {
	needLab(t)
	if part := os.Getenv(partVar); part != "" {
		t.Skipf("left out with %s=%s: the commands of the drivers' pages", partVar, part)
	}
	pages := []struct{ name, driver string }{
		{"mesos", "drivers-mesos"}, {"swarm", "drivers-swarm"}, {"swarm-standalone", "drivers-swarm/swarm-standalone"},
		{"k8s-coreos", "drivers-k8s-coreos"}, {"k8s-fedora-coreos", "drivers-k8s-coreos/k8s-fedora-coreos"},
	}
	var packages []string
	for _, page := range pages {
		packages = append(packages, driverPackage(t, page.driver))
	}
	r := newReal(t, packages...)
	before := r.inventory()
	r.start(len(packages))
	r.guests()
	for _, page := range pages {
		t.Run(page.name, func(t *testing.T) {
			r, c := *r, r.cli(t)
			r.t = t
			r.page(c, "docs/drivers/"+page.name+".md")
			r.nothingLeft(before)
		})
	}
}

func (r *deployment) page(c *cli, path string) {
	r.t.Helper()
	var cluster, template string
	for _, line := range documented(r.t, path, "openstack ") {
		words := strings.Fields(strings.TrimPrefix(line, "openstack "))
		out := c.run(words...)
		switch words[1] + " " + words[2] {
		case "cluster template":
			template = words[4]
		case "cluster create":
			cluster = words[3]
			got := c.wait(cluster, "CREATE_COMPLETE", 20*time.Minute)
			for option, field := range map[string]string{"--master-count": "master_addresses", "--node-count": "node_addresses"} {
				want := "1"
				if at := slices.Index(words, option); at > 0 {
					want = words[at+1]
				}
				if list, _ := got[field].([]any); strconv.Itoa(len(list)) != want {
					r.t.Errorf("%s are %v, want %s", field, list, want)
				}
			}
		case "cluster config":
			c.checkDockerConfig(out)
		case "cluster resize", "nodegroup create", "nodegroup delete":
			c.wait(cluster, "UPDATE_COMPLETE", 20*time.Minute)
		default:
			r.t.Errorf("nobody knows when %q is done", line)
		}
	}
	c.run("coe", "cluster", "delete", cluster)
	r.gone()
	c.run("coe", "cluster", "template", "delete", template)
}
