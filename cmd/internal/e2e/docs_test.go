package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/store"
)

// documented returns the commands of a document's code blocks that start with
// a prefix, with continued lines joined and comments cut off.
func documented(t *testing.T, path, prefix string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	block := false
	for _, line := range strings.Split(strings.ReplaceAll(string(text), "\\\n", " "), "\n") {
		if strings.HasPrefix(line, "```") {
			block = !block
			continue
		}
		if block && strings.HasPrefix(line, prefix) {
			command, _, _ := strings.Cut(line, "  #")
			all = append(all, strings.Join(strings.Fields(command), " "))
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no command that starts with %q", path, prefix)
	}
	return all
}

// TestDocumentedCommands runs the operator's commands of README,
// docs/operating.md and docs/policy.md, in their order, on a folder of its own.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200*time.Millisecond)
	commands := append(documented(t, "README.md", "magnum-"), documented(t, "docs/operating.md", "magnum-")...)
	commands = append(commands, documented(t, "docs/policy.md", "magnum-")...)
	for _, line := range commands {
		line = strings.NewReplacer(
			"/etc/magnum/magnum.conf", l.conf,
			"bin/drivers/k8s-fedora-atomic", packageDir,
			"NAME", "k8s_fedora_atomic_v1",
		).Replace(line)
		args := strings.Fields(line)
		if !strings.Contains(line, "--config-file") {
			args = append(args, "--config-file", l.conf)
		}
		t.Run(args[0]+" "+args[len(args)-1], func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, executable(t, args[0]), args[1:]...)
			if args[0] == "magnum-api" || args[0] == "magnum-conductor" {
				service(t, cmd)
				return
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
		})
	}
}

// service starts a service, sees that it stays, and asks it to stop.
func service(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out := &logs{}
	p := background(t, out, cmd)
	want := map[string]string{"magnum-api": "takes requests", "magnum-conductor": "driver published"}[filepath.Base(cmd.Path)]
	poll(t, 20*time.Second, cmd.Path+" to be up", func() (bool, error) { return strings.Contains(out.String(), want), nil })
	p.stop(t)
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with code %d:\n%s", code, out)
	}
}

// TestReadmeWithClient runs README's walk-through with the real client.
func TestReadmeWithClient(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200*time.Millisecond)
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.startAPI()
	l.start("conductor", "")
	user := l.client("demo")
	l.template(user) // returns once the driver is published
	for _, line := range documented(t, "README.md", "openstack ") {
		c.run(strings.Fields(strings.TrimPrefix(line, "openstack "))...)
	}
	c.wait("one", "CREATE_COMPLETE", 90*time.Second)
}

// TestDriverPageWithClient runs what the driver's page says of node groups and of
// bare metal.
func TestDriverPageWithClient(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200*time.Millisecond)
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.startAPI()
	l.start("conductor", "")
	l.template(l.client("demo")) // returns once the driver is published
	for _, line := range documented(t, "docs/drivers/k8s-fedora-atomic.md", "openstack ") {
		line = strings.ReplaceAll(line, "'", "") // no argument has blanks
		c.run(strings.Fields(strings.TrimPrefix(line, "openstack "))...)
		switch {
		case strings.Contains(line, "template create"):
		case strings.Contains(line, "cluster create"):
			c.wait(strings.Fields(line)[4], "CREATE_COMPLETE", 90*time.Second)
		default:
			c.wait("prod", "UPDATE_COMPLETE", 90*time.Second)
		}
	}
	if stacks := l.cloud.Stacks(); len(stacks) != 3 {
		t.Errorf("%d stacks, want those of the three clusters alone", len(stacks))
	}
	var template map[string]any
	c.show(&template, "coe", "cluster", "template", "show", "metal")
	if template["server_type"] != "bm" || template["cluster_distro"] != "fedora" {
		t.Errorf("template show: %v", template)
	}
	// What cannot be had on bare metal the cluster says.
	c.run("coe", "cluster", "create", "volumes", "--cluster-template", "metal", "--docker-volume-size", "5")
	var failed map[string]any
	poll(t, time.Minute, "the cluster to fail", func() (bool, error) {
		c.show(&failed, "coe", "cluster", "show", "volumes")
		return failed["status"] == "CREATE_FAILED", nil
	})
	if failed["status_reason"] != "Bare metal servers have no Cinder volumes: docker_volume_size must not be 5." {
		t.Errorf("status_reason: %v", failed["status_reason"])
	}
}

// TestCoreOSPagesWithClient runs what the pages of the drivers for CoreOS say,
// on a service that has them besides the one for Fedora Atomic.
func TestCoreOSPagesWithClient(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200*time.Millisecond)
	l.install(coreOSDir)
	l.install(fedoraCoreOSDir)
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.startAPI()
	l.start("conductor", "")
	l.template(l.client("demo")) // returns once the drivers are published
	for _, page := range []string{"docs/drivers/k8s-coreos.md", "docs/drivers/k8s-fedora-coreos.md"} {
		for _, line := range documented(t, page, "openstack ") {
			c.run(strings.Fields(strings.TrimPrefix(line, "openstack "))...)
		}
	}
	for _, cluster := range []string{"core", "fcos"} {
		c.wait(cluster, "CREATE_COMPLETE", 90*time.Second)
	}
}

// driverPackage builds a driver of this repository and packs it.
func driverPackage(t *testing.T, folder string) string {
	t.Helper()
	dir := t.TempDir()
	binary, pack := filepath.Join(dir, filepath.Base(folder)), filepath.Join(dir, "package")
	if err := goBuild("CGO_ENABLED=0", binary, module+folder); err != nil {
		t.Fatal(err)
	}
	if err := store.Pack(t.Context(), pack, binary, store.Asks{}); err != nil {
		t.Fatal(err)
	}
	return pack
}

// TestMesosPageWithClient runs what the page of the driver for Mesos says, and
// then its cluster's end.
func TestMesosPageWithClient(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200*time.Millisecond)
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.install(driverPackage(t, "drivers-mesos"))
	l.startAPI()
	l.start("conductor", "")
	l.template(l.client("demo")) // returns once drivers are published
	var nodes []string
	for _, line := range documented(t, "docs/drivers/mesos.md", "openstack ") {
		c.run(strings.Fields(strings.TrimPrefix(line, "openstack "))...)
		switch {
		case strings.Contains(line, "template create"):
		case strings.Contains(line, "cluster create"):
			c.wait("prod", "CREATE_COMPLETE", 90*time.Second)
		default:
			nodes = append(nodes, fmt.Sprint(c.wait("prod", "UPDATE_COMPLETE", 90*time.Second)["node_count"]))
		}
	}
	// Resized, with a group, with one that is empty, and without it.
	if diff := cmp.Diff([]string{"7", "9", "7", "7"}, nodes); diff != "" {
		t.Errorf("nodes: %s", diff)
	}
	c.run("coe", "cluster", "delete", "prod")
	poll(t, time.Minute, "the cluster's stack to be gone", func() (bool, error) { return len(l.cloud.Stacks()) == 0, nil })
}
