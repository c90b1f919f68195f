package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
)

// kind is a type of cluster of virtual machines, an image that makes it, and the
// folder of its driver.
type kind struct{ coe, distro, image, driver string }

func (k kind) String() string { return "(vm, " + k.distro + ", " + k.coe + ")" }

var kinds = []kind{
	{"kubernetes", "fedora-atomic", "fedora-atomic-latest", "drivers-k8s-fedora-atomic"},
	{"kubernetes", "coreos", "coreos-latest", "drivers-k8s-coreos"},
	{"kubernetes", "fedora-coreos", "fedora-coreos-latest", "drivers-k8s-coreos/k8s-fedora-coreos"},
	{"swarm", "fedora-atomic", "fedora-atomic-latest", "drivers-swarm/swarm-standalone"},
	{"swarm-mode", "fedora-atomic", "fedora-atomic-latest", "drivers-swarm"},
	{"swarm-mode", "ubuntu", "ubuntu-mesos", "drivers-swarm"},
	{"swarm-mode", "debian", "debian-latest", "drivers-swarm"},
	{"mesos", "ubuntu", "ubuntu-mesos", "drivers-mesos"},
}

// variant is how a cluster differs from the plainest: what its template says, and
// what it says itself.
type variant struct {
	name, template, cluster string
	masters                 int
	// inside: nodes have addresses of this network alone.
	inside string
}

var variants = []variant{
	{name: "one master", masters: 1},
	{name: "three masters, load balancer", template: "--master-lb-enabled", cluster: "--master-count 3", masters: 3},
	{name: "no floating IPs", template: "--floating-ip-disabled", masters: 1, inside: "10.0.0."},
	{name: "given network", cluster: "--fixed-network demo-net --fixed-subnet demo-subnet --floating-ip-disabled", masters: 1, inside: "10.20.0."},
	{name: "docker volume", cluster: "--docker-volume-size 3", masters: 1},
}

// partVar, a number, asks for one variant of each type, another for another
// number.
const partVar = "MATRIX"

// life is that of one cluster.
type life struct {
	kind
	variant
	called string
	over   bool // something went wrong: what is left to do is its end
	took   map[string]time.Duration
}

// TestRealMatrix takes clusters of every type through their lives on a real
// OpenStack, in every variant, or in as many as are asked for.
func TestRealMatrix(t *testing.T) {
	needLab(t)
	var groups [][]*life
	part, partly := os.LookupEnv(partVar)
	at, err := strconv.Atoi(part)
	if partly = partly && part != ""; partly && err != nil {
		t.Fatalf("%s=%s is not a number", partVar, part)
	}
	for i, k := range kinds {
		var group []*life
		var left []string
		for j, v := range variants {
			if partly && (i+at)%len(variants) != j {
				left = append(left, v.name)
				continue
			}
			group = append(group, &life{kind: k, variant: v, called: fmt.Sprintf("%s-%s-%d", k.distro, k.coe, j+1), took: map[string]time.Duration{}})
		}
		if groups = append(groups, group); partly {
			t.Logf("left out of %s: %s", k, strings.Join(left, "; "))
		}
	}
	if partly {
		groups = [][]*life{slices.Concat(groups...)}
	}

	var packages []string
	for i, k := range kinds {
		if !slices.ContainsFunc(kinds[:i], func(other kind) bool { return other.driver == k.driver }) {
			packages = append(packages, driverPackage(t, k.driver))
		}
	}
	r := newReal(t, packages...)
	c := r.cli(t)
	before := r.inventory()
	r.start(len(packages))
	r.guests()
	began := time.Now()
	for _, group := range groups {
		name := group[0].distro + "/" + group[0].coe
		if partly {
			name = "part/" + part
		}
		t.Run(name, func(t *testing.T) {
			r, c := *r, *c
			r.t, c.t = t, t
			r.live(&c, group)
			r.nothingLeft(before)
		})
	}
	if !t.Failed() && !partly {
		writeTested(t, slices.Concat(groups...), time.Since(began))
	}
}

// live takes clusters through their lives, all at the same time.
func (r *deployment) live(c *cli, all []*life) {
	r.t.Helper()
	var templates, ends []string
	for _, l := range all {
		templates = append(templates, "coe cluster template create "+l.called+" --coe "+l.coe+" --image "+l.image+
			" --keypair testkey --external-network public --flavor m1.small --master-flavor m1.small "+l.template)
		ends = append(ends, "coe cluster template delete "+l.called)
	}
	for i, out := range c.batch(templates...) {
		if !strings.Contains(out, "| uuid") {
			r.t.Fatalf("%s\n%s", templates[i], out)
		}
	}
	r.step(c, all, "create", "CREATE_COMPLETE", 1, func(l *life) string {
		return "coe cluster create " + l.called + " --cluster-template " + l.called + " --node-count 1 " + l.cluster
	})
	first := r.look(c, all, 1)
	r.step(c, all, "scale up", "UPDATE_COMPLETE", 2, func(l *life) string { return "coe cluster resize " + l.called + " 2" })
	second := r.look(c, all, 2)
	// The oldest goes, where Heat by itself would take the newest.
	named := map[*life]string{}
	for l, servers := range first {
		for name, id := range servers {
			if second[l][name] != id {
				r.t.Errorf("%s: scaling up replaced %s", l.called, name)
			}
			named[l] = name
		}
	}
	r.step(c, all, "scale down", "UPDATE_COMPLETE", 1, func(l *life) string {
		return "coe cluster resize " + l.called + " 1 --nodes-to-remove " + second[l][named[l]]
	})
	for l, servers := range r.look(c, all, 1) {
		delete(second[l], named[l])
		if diff := cmp.Diff(second[l], servers); diff != "" {
			r.t.Errorf("%s: after %s was to go (-want +got): %s", l.called, named[l], diff)
		}
	}
	for _, l := range all {
		l.over = false // whatever it is, it is to go
	}
	r.step(c, all, "delete", "", 0, func(l *life) string { return "coe cluster delete " + l.called })
	c.batch(ends...)
}

// step has the client ask the same of all clusters and waits until they have
// that status and so many workers, or are gone where there is no status.
func (r *deployment) step(c *cli, all []*life, name, status string, nodes int, command func(*life) string) {
	r.t.Helper()
	var waiting []*life
	var commands []string
	for _, l := range all {
		if !l.over {
			waiting, commands = append(waiting, l), append(commands, command(l))
		}
	}
	began := time.Now()
	for i, out := range c.batch(commands...) {
		if !strings.Contains(out, "accepted") {
			r.t.Errorf("%s: %s\n%s", waiting[i].called, commands[i], out)
			waiting[i].over = true
		}
	}
	poll(r.t, 20*time.Minute, name, func() (bool, error) {
		page, err := clusters.ListDetail(r.magnum(), nil).AllPages(r.t.Context())
		if err != nil {
			return false, err
		}
		list, err := clusters.ExtractClusters(page)
		if err != nil {
			return false, err
		}
		now := map[string]clusters.Cluster{}
		for _, one := range list {
			now[one.Name] = one
		}
		waiting = slices.DeleteFunc(waiting, func(l *life) bool {
			got, there := now[l.called]
			switch {
			case l.over:
			case !there && status == "", there && got.Status == status && got.NodeCount == nodes:
				l.took[name] = time.Since(began)
			case strings.HasSuffix(got.Status, "_FAILED"):
				r.t.Errorf("%s, %s: %s: %s: %s", l.kind, l.variant.name, name, got.Status, got.StatusReason)
				l.over = true
			default:
				return false
			}
			return true
		})
		return len(waiting) == 0, nil
	})
}

// look has the client show the clusters, sees that they are as they were asked
// for, and returns the servers of their workers by name.
func (r *deployment) look(c *cli, all []*life, nodes int) map[*life]map[string]string {
	r.t.Helper()
	commands := []string{"server list -f json -c ID -c Name"}
	for _, l := range all {
		commands = append(commands, "coe cluster show "+l.called+" -f json")
	}
	printed := c.batch(commands...)
	var servers []struct{ ID, Name string }
	if err := json.Unmarshal([]byte(printed[0]), &servers); err != nil {
		r.t.Fatalf("%v\n%s", err, printed[0])
	}
	workers := map[*life]map[string]string{}
	for i, l := range all {
		if l.over {
			continue
		}
		var got struct {
			Masters []string `json:"master_addresses"`
			Workers []string `json:"node_addresses"`
			API     string   `json:"api_address"`
		}
		if err := json.Unmarshal([]byte(printed[i+1]), &got); err != nil {
			r.t.Errorf("%s: %v\n%s", l.called, err, printed[i+1])
			continue
		}
		if len(got.Masters) != l.masters || len(got.Workers) != nodes || !strings.Contains(got.API, ".") {
			r.t.Errorf("%s has masters at %q, workers at %q, its API at %q", l.called, got.Masters, got.Workers, got.API)
		}
		for _, address := range slices.Concat(got.Masters, got.Workers) {
			if public := strings.HasPrefix(address, "127.24."); public != (l.inside == "") || !strings.HasPrefix(address, l.inside) {
				r.t.Errorf("%s has a node at %s", l.called, address)
			}
		}
		masters := 0
		workers[l] = map[string]string{}
		for _, s := range servers {
			switch {
			case !strings.HasPrefix(s.Name, l.called+"-"):
			case strings.Contains(s.Name, "-master-"):
				masters++
			default:
				workers[l][s.Name] = s.ID
			}
		}
		if masters != l.masters || len(workers[l]) != nodes {
			r.t.Errorf("%s has %d servers of masters, and those of workers are %v", l.called, masters, workers[l])
		}
	}
	return workers
}
