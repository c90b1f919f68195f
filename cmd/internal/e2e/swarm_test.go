package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSwarmPageWithClient(t *testing.T) {
	t.Parallel()
	swarmPage{"docs/drivers/swarm.md", "drivers-swarm", "swarm_fedora_atomic_v2", "swarm-mode", "2375", ""}.run(t)
}

func TestSwarmStandalonePageWithClient(t *testing.T) {
	t.Parallel()
	swarmPage{"docs/drivers/swarm-standalone.md", "drivers-swarm/swarm-standalone", "swarm_fedora_atomic_v1", "swarm", "2376", "1.2.9"}.run(t)
}

// swarmPage is a driver of Docker engines and where it is described.
type swarmPage struct {
	page, folder, driver, coe, port, version string
}

// run runs what the driver's page says, in its order. The API knows no such engine
// as the driver's before it is installed, and after it was disabled.
func (p swarmPage) run(t *testing.T) {
	l := newLab(t, 200*time.Millisecond)
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.startAPI()
	l.start("conductor", "")
	l.template(l.client("demo")) // returns once the driver is published
	commands := documented(t, p.page, "openstack ")
	run := func(line string) (string, error) {
		return c.try(strings.Fields(strings.TrimPrefix(line, "openstack "))...)
	}
	// known waits until a template of the engine is taken, or is not.
	known := func(want bool) {
		t.Helper()
		poll(t, 60*time.Second, fmt.Sprintf("%s to be known: %v", p.coe, want), func() (bool, error) {
			out, err := run(commands[0])
			if err == nil && strings.Contains(out, "| uuid") {
				return want, nil
			}
			if strings.Contains(out, "Requested COE type "+p.coe+" is not supported (HTTP 400)") {
				return !want, nil
			}
			return false, fmt.Errorf("%w\n%s", err, out)
		})
	}
	known(false)
	l.install(driverPackage(t, p.folder))
	known(true)
	var (
		nodes  []string
		stacks []int
	)
	for _, line := range commands[1:] {
		out, err := run(line)
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		switch words := strings.Fields(line); words[2] + " " + words[3] {
		case "cluster create":
			got := c.wait("fleet", "CREATE_COMPLETE", 3*time.Minute)
			address, _ := got["api_address"].(string)
			masters, _ := got["master_addresses"].([]any)
			workers, _ := got["node_addresses"].([]any)
			if !strings.HasPrefix(address, "tcp://") || !strings.HasSuffix(address, ":"+p.port) || len(masters) != 3 || len(workers) != 8 || got["container_version"] != "1.13.1" || p.version != "" && got["coe_version"] != p.version {
				t.Errorf("cluster: %v", got)
			}
		case "cluster config":
			c.checkDockerConfig(out)
		case "cluster resize", "nodegroup create", "nodegroup delete":
			got := c.wait("fleet", "UPDATE_COMPLETE", 3*time.Minute)
			nodes = append(nodes, fmt.Sprint(got["node_count"]))
			stacks = append(stacks, len(l.cloud.Stacks()))
		}
	}
	// Resized, with a group, with one that is empty, and without it.
	if diff := cmp.Diff([]string{"7", "9", "7", "7"}, nodes); diff != "" {
		t.Errorf("nodes: %s", diff)
	}
	if diff := cmp.Diff([]int{1, 2, 2, 1}, stacks); diff != "" {
		t.Errorf("stacks: %s", diff)
	}
	c.run("coe", "cluster", "delete", "fleet")
	poll(t, 3*time.Minute, "the cluster to be gone", func() (bool, error) {
		_, err := c.try("coe", "cluster", "show", "fleet")
		return err != nil, nil
	})
	if left := l.cloud.Stacks(); len(left) != 0 {
		t.Errorf("%d stacks are left", len(left))
	}
	disable := exec.CommandContext(t.Context(), executable(t, "magnum-driver-manage"), "--config-file", l.conf, "disable", p.driver)
	if out, err := disable.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	known(false)
}

// checkDockerConfig looks at what the client prints for a shell, and the files
// that Docker's client reads then.
func (c *cli) checkDockerConfig(out string) {
	c.t.Helper()
	set := map[string]string{}
	for _, line := range strings.Split(out, "\n") {
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "="); ok {
			set[name] = strings.Trim(value, `"'`)
		}
	}
	if !strings.HasPrefix(set["DOCKER_HOST"], "tcp://") || set["DOCKER_CERT_PATH"] != c.dir || set["DOCKER_TLS_VERIFY"] == "" {
		c.t.Errorf("config printed\n%s", out)
	}
	var have []string
	for _, name := range []string{"ca.pem", "cert.pem", "key.pem"} {
		if _, err := os.Stat(filepath.Join(c.dir, name)); err == nil {
			have = append(have, name)
		}
	}
	if diff := cmp.Diff([]string{"ca.pem", "cert.pem", "key.pem"}, have); diff != "" {
		c.t.Error(diff)
	}
}
