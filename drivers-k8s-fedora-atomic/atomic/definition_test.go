package atomic_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic"
	"github.com/go-magnum/magnum/sdk/driver"
)

var update = flag.Bool("update", false, "write the golden files anew")

func render(t testing.TB, req driver.RenderRequest) driver.RenderResponse {
	t.Helper()
	out, err := atomic.Definition().Render(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); -update writes it anew:\n%s", path, diff)
	}
}

// TestCheck holds every stack of the matrix to the parameter contract: sent is
// declared, required is sent, declared is used, nested templates included.
func TestCheck(t *testing.T) {
	d := atomic.Definition()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			for _, err := range d.Check(c.request()) {
				t.Error(err)
			}
		})
	}
}

func TestGolden(t *testing.T) {
	steps := regexp.MustCompile(`(?m)^step \S+`)
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			out := render(t, c.request())
			var b bytes.Buffer
			for _, name := range slices.Sorted(maps.Keys(out.Parameters)) {
				p := out.Parameters[name]
				if p.Secret != "" {
					fmt.Fprintf(&b, "%s = secret %s\n", name, p.Secret)
				} else {
					fmt.Fprintf(&b, "%s = %q\n", name, p.Value)
				}
			}
			fmt.Fprintf(&b, "\n")
			for _, name := range slices.Sorted(maps.Keys(out.Files)) {
				fmt.Fprintf(&b, "file %s\n", name)
				for _, s := range steps.FindAllString(out.Files[name], -1) {
					fmt.Fprintf(&b, "    %s\n", s)
				}
			}
			golden(t, c.name+".golden", b.Bytes())
		})
	}
	out := render(t, base())
	golden(t, "master.sh", []byte(out.Files["boot/master.sh"]))
	golden(t, "minion.sh", []byte(out.Files["boot/minion.sh"]))
	golden(t, "main.yaml", []byte(out.Template))
	req := base()
	group(func(*driver.RenderRequest, *driver.NodeGroup) {})(&req)
	golden(t, "nodegroup.yaml", []byte(render(t, req).Template))
}

func TestDescription(t *testing.T) {
	out, err := atomic.Definition().Describe(context.Background(), driver.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(out.Description, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "describe.json", append(b, '\n'))
}

func TestSameRequestSameBytes(t *testing.T) {
	for _, c := range cases() {
		first := render(t, c.request())
		for range 5 {
			if diff := cmp.Diff(first, render(t, c.request())); diff != "" {
				t.Fatalf("%s: %s", c.name, diff)
			}
		}
	}
}

// TestLabelsAct: a label in the schema that changed nothing would be a lie.
func TestLabelsAct(t *testing.T) {
	other := map[string]string{
		"boot_volume_size": "7", "etcd_volume_size": "7", "fixed_subnet_cidr": "10.7.0.0/24", "kube_tag": "v1.16.1",
		"master_lb_allowed_cidrs": "192.0.2.0/24", "selinux_mode": "disabled", "container_infra_prefix": "r/", "hyperkube_prefix": "r/",
		"service_cluster_ip_range": "10.7.0.0/16", "admission_control_list": "ServiceAccount", "cgroup_driver": "systemd",
		"system_pods_initial_delay": "7", "system_pods_timeout": "7", "flannel_network_cidr": "10.7.0.0/16",
		"flannel_network_subnetlen": "27", "flannel_backend": "udp", "master_lb_floating_ip_enabled": "false",
	}
	bounds := map[string]string{"min_node_count": "9", "max_node_count": "1"}
	d := atomic.Definition()
	for _, l := range d.Labels {
		req := base()
		req.Cluster.MasterLB, req.NodeGroups[1].NodeCount = true, 2
		before := render(t, req)
		value := cmpOr(bounds[l.Name], other[l.Name], "other")
		req.Cluster.Labels = labels(l.Name, value)
		if _, ok := bounds[l.Name]; ok {
			if got := violations(t, req); len(got) == 0 {
				t.Errorf("label %s=%s bounds nothing", l.Name, value)
			}
			continue
		}
		if got := violations(t, req); len(got) != 0 {
			t.Errorf("label %s=%s: %v", l.Name, value, got)
		}
		if cmp.Equal(before, render(t, req)) {
			t.Errorf("label %s=%s changes nothing", l.Name, value)
		}
	}
}

func cmpOr(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// TestResizeLeavesNodesAlone: what a node is told at boot must not depend on
// how many workers there are.
func TestResizeLeavesNodesAlone(t *testing.T) {
	before := render(t, base())
	req := base()
	req.Intent, req.NodesToRemove = driver.IntentResize, []string{"0"}
	req.NodeGroups[1].NodeCount = 3
	after := render(t, req)
	if diff := cmp.Diff(before.Files, after.Files); diff != "" {
		t.Error(diff)
	}
	for name := range after.Parameters {
		if before.Parameters[name] != after.Parameters[name] && name != "number_of_minions" && name != "minions_to_remove" {
			t.Errorf("a resize changes parameter %s", name)
		}
	}
	if got := after.Parameters["minions_to_remove"].Value; got != `["0"]` {
		t.Errorf("minions_to_remove = %s", got)
	}
}

// TestUserDataFits: Nova takes 65535 bytes of base64, and the parameters come
// on top of the script.
func TestUserDataFits(t *testing.T) {
	const limit, parameters = 65535 / 4 * 3, 8 << 10
	for _, c := range cases() {
		for _, name := range []string{"boot/master.sh", "boot/minion.sh"} {
			if n := len(render(t, c.request()).Files[name]); n > limit-parameters {
				t.Errorf("%s: %s has %d bytes", c.name, name, n)
			}
		}
	}
}

func TestRenderIsFast(t *testing.T) {
	req := base()
	req.Cluster.MasterLB = true
	req.NodeGroups[0].NodeCount, req.NodeGroups[1].NodeCount = 3, 1000
	best := time.Hour
	for range 10 {
		start := time.Now()
		render(t, req)
		best = min(best, time.Since(start))
	}
	if best > slowdown*100*time.Millisecond {
		t.Errorf("1,000 workers and 3 masters take %v", best)
	}
}

func BenchmarkRender(b *testing.B) {
	req := base()
	for b.Loop() {
		render(b, req)
	}
}

func TestMapOutputs(t *testing.T) {
	str := func(s string) *string { return &s }
	num := func(n int) *int { return &n }
	outputs := map[string]driver.RawJSON{
		"api_address":          driver.RawJSON(`"172.24.4.6"`),
		"kube_masters":         driver.RawJSON(`["172.24.4.6"]`),
		"kube_masters_private": driver.RawJSON(`["10.0.0.36"]`),
		"kube_minions":         driver.RawJSON(`["172.24.4.7", null]`),
		"kube_minions_private": driver.RawJSON(`["10.0.0.37", "10.0.0.38"]`),
	}
	parameters := map[string]string{"number_of_masters": "1", "number_of_minions": "2", "kube_tag": "v1.18.20"}
	tests := []struct {
		name     string
		floating bool
		outputs  map[string]driver.RawJSON
		params   map[string]string
		want     driver.MapOutputsResponse
	}{
		{"floating", true, outputs, parameters, driver.MapOutputsResponse{
			Cluster: driver.ClusterPatch{APIAddress: str("https://172.24.4.6:6443"), COEVersion: str("v1.18.20")},
			NodeGroups: []driver.NodeGroupPatch{
				{Name: "default-master", NodeAddresses: []string{"172.24.4.6"}, NodeCount: num(1)},
				{Name: "default-worker", NodeAddresses: []string{"172.24.4.7"}, NodeCount: num(2)},
			},
		}},
		{"private", false, outputs, parameters, driver.MapOutputsResponse{
			Cluster: driver.ClusterPatch{APIAddress: str("https://172.24.4.6:6443"), COEVersion: str("v1.18.20")},
			NodeGroups: []driver.NodeGroupPatch{
				{Name: "default-master", NodeAddresses: []string{"10.0.0.36"}, NodeCount: num(1)},
				{Name: "default-worker", NodeAddresses: []string{"10.0.0.37", "10.0.0.38"}, NodeCount: num(2)},
			},
		}},
		{"no workers", true, map[string]driver.RawJSON{"kube_minions": driver.RawJSON(`[]`), "api_address": driver.RawJSON(`null`)}, nil,
			driver.MapOutputsResponse{NodeGroups: []driver.NodeGroupPatch{{Name: "default-worker", NodeAddresses: []string{}}}}},
		{"nothing yet", true, nil, nil, driver.MapOutputsResponse{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := base()
			r.Cluster.FloatingIP = tt.floating
			got, err := atomic.Definition().MapOutputs(context.Background(), driver.MapOutputsRequest{
				Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, Outputs: tt.outputs, Parameters: tt.params,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPreDelete(t *testing.T) {
	out, err := atomic.Definition().PreDelete(context.Background(), driver.PreDeleteRequest{Cluster: base().Cluster})
	if err != nil {
		t.Fatal(err)
	}
	want := []driver.Cleanup{
		{Kind: driver.CleanupLoadBalancer, DescriptionPattern: "Kubernetes .+ from cluster " + clusterUUID, Cascade: true},
		{Kind: driver.CleanupFloatingIP, DescriptionPattern: "Floating IP for Kubernetes .+ from cluster " + clusterUUID},
	}
	if diff := cmp.Diff(want, out.Cleanups); diff != "" {
		t.Error(diff)
	}
}

// TestHealthOfPrivateClusters: what cannot be reached is not asked.
func TestHealthOfPrivateClusters(t *testing.T) {
	for _, tt := range []struct {
		name         string
		floating, lb bool
		label        string
		want         driver.HealthStatus
	}{
		{"private", false, false, "", driver.HealthUnknown},
		{"private load balancer", true, true, "false", driver.HealthUnknown},
		{"public load balancer", false, true, "true", driver.Unhealthy},
		{"public", true, false, "", driver.Unhealthy},
	} {
		req := driver.CheckHealthRequest{Cluster: base().Cluster}
		req.Cluster.FloatingIP, req.Cluster.MasterLB = tt.floating, tt.lb
		req.Cluster.Labels = labels("master_lb_floating_ip_enabled", tt.label)
		got, err := atomic.Monitoring().CheckHealth(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
	}
}

// TestDocumentedLabels: the table that users read is the definition's.
func TestDocumentedLabels(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "drivers", "k8s-fedora-atomic.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(page), "-update` -->\n")
	_, tail, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		t.Fatalf("%s has no place for the labels", path)
	}
	var b strings.Builder
	b.WriteString("| label | default | group | |\n|---|---|---|---|\n")
	for _, l := range atomic.Definition().Labels {
		value, group := "", ""
		if l.Default != "" {
			value = "`" + l.Default + "`"
		}
		if l.PerNodeGroup {
			group = "yes"
		}
		text := l.Description
		if len(l.Enum) > 0 {
			text += " One of " + strings.Join(l.Enum, ", ") + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", l.Name, value, group, text)
	}
	want := head + "-update` -->\n" + b.String() + "<!-- end -->" + tail
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("%s is not what the driver says; -update writes it anew: %s", path, diff)
	}
}
