package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
)

func TestLintAndRender(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	h := newHost(t)
	dir := filepath.Join(h.dir, "acme")
	h.must("new", "--sdk", "../../sdk", "acme", dir)
	if out := h.must("lint", dir, "-f", "json"); out != "[]\n" {
		t.Errorf("a new driver has faults: %s", out)
	}

	// of the cluster's own values, a zero among them, and its secrets' names
	h.write("cluster.yaml", "cluster: {name: prod, labels: {kube_tag: v1.30.7}}\n"+
		"node_groups: [{name: default-worker, node_count: 0}]\n")
	out := h.must("render", dir, "--cluster", filepath.Join(h.dir, "cluster.yaml"))
	for _, want := range []string{"# ==> stack.yaml\nheat_template_version", "# ==> boot.sh\n#!/bin/sh", "kube_tag: v1.30.7\n", `worker_count: "0"`, "worker_flavor: conform.small\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	h.write("wrong.yaml", "cluster: {nam: prod}\n")
	h.refused(1, `unknown field "nam"`, "render", dir, "--cluster", filepath.Join(h.dir, "wrong.yaml"))
	h.refused(1, "Operation upgrade is not supported", "render", dir, "--intent", "upgrade")
	h.refused(3, "no driver nobody is installed", "render", "nobody")

	// faults, all of them
	main := filepath.Join(dir, "stack", "main.yaml")
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := strings.NewReplacer(
		"  keypair: {type: string, default: ''}\n", "  keypair: {type: string, default: ''}\n  nobody: {type: string}\n  unread: {type: string, default: ''}\n",
		"  master_image: {type: string}\n", "",
	).Replace(string(text))
	if err := os.WriteFile(main, []byte(spoilt), 0o644); err != nil {
		t.Fatal(err)
	}
	out, code, err := h.run("lint", dir, "-f", "value", "-c", "Rule", "-c", "Fault")
	if code != 1 || err == nil {
		t.Errorf("exit code %d, %v", code, err)
	}
	for _, want := range []string{
		"DRV-037 create: parameter master_image is sent but the template does not declare it",
		"DRV-037 create: parameter nobody is required but not sent",
		"DRV-037 resize of default-worker: parameter nobody is required but not sent",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// The files that render writes are those that Heat would be sent.
func TestRenderFolder(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	dir := filepath.Join(h.dir, "stack")
	h.must("render", "acme_k8s", "-o", dir)
	printed := h.must("render", one)
	for _, name := range []string{"stack.yaml", "parameters.yaml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(printed, string(text)) {
			t.Errorf("%s is not what is printed:\n%s\n%s", name, text, printed)
		}
	}
}

func TestSchemaAndDocs(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	var schema map[string]any
	if err := json.Unmarshal([]byte(h.must("schema", "acme_k8s")), &schema); err != nil || schema["type"] != "object" {
		t.Errorf("schema %v: %v", schema, err)
	}
	if err := json.Unmarshal([]byte(h.must("schema", "acme_k8s@1.0.0", "config")), &schema); err != nil {
		t.Error(err)
	}
	h.refused(2, `no schema of "other"`, "schema", "acme_k8s", "other")
	h.refused(3, "no driver nobody is installed", "docs", "nobody")
	if out := h.must("docs", "acme_k8s"); !strings.Contains(out, "Driver `acme_k8s` 1.0.0, stable.") || !strings.Contains(out, "| `tag` | string |") {
		t.Errorf("got %s", out)
	}
}

// A page has all that a description has, and no text of a driver's ends a cell.
func TestPage(t *testing.T) {
	d := driver.Description{
		Name: "acme", Version: "1.2.0", Maturity: driver.MaturityBeta, DisplayName: "Acme | K8s",
		ClusterTypes:   []driver.ClusterType{{ServerType: "vm", OS: "acme", COE: "kubernetes", Priority: 3}},
		NetworkDrivers: []string{"flannel", "calico"}, UpgradeLabels: []string{"tag"},
		Capabilities: []driver.Capability{driver.CapResize, driver.CapUpgrade},
		Limits:       driver.Limits{MinMasters: 3, MaxMasters: 5, OddMasters: true},
		LabelSchema: driver.RawJSON(`{"type": "object", "properties": {
			"tag": {"type": "string", "default": "v1", "enum": ["v1", "v2"], "description": "Version\nof it.", "x-since": "1.1.0", "x-per-node-group": true},
			"size": {"type": "integer", "minimum": 1, "maximum": 9, "description": "GB | MB.", "deprecated": true},
			"net": {"type": "string", "format": "cidr"}}}`),
	}
	var got strings.Builder
	if err := writePage(&got, d); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/page.md")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("the page (-want +got):\n%s", d)
	}
	if d.LabelSchema = driver.RawJSON("{"); writePage(&got, d) == nil {
		t.Error("a schema that is none has a page")
	}
}

func TestCompletion(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	h.must("install", two)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"info", ""}, "acme_k8s acme_k8s@1.0.0 acme_k8s@1.1.0 :4"},
		{[]string{"schema", "acme_k8s", ""}, "labels config :4"},
		{[]string{"install", ""}, ":0"},
	} {
		args := append([]string{"__complete", "--config-file", h.conf}, tt.args...)
		c := root()
		var out strings.Builder
		c.SetArgs(args)
		c.SetOut(&out)
		c.SetErr(&strings.Builder{})
		if err := c.Execute(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			name, _, _ := strings.Cut(line, "\t")
			got = append(got, name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v: %q, want %q", tt.args, got, tt.want)
		}
	}
}
