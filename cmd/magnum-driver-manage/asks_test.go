package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
)

func TestAsksAreShown(t *testing.T) {
	h := newHost(t)
	if out := h.must("install", one); strings.Contains(out, "asks for") {
		t.Errorf("a driver that asks for nothing: %s", out)
	}
	asks := h.write("asks.yaml", "resources: {files: 4096}\nsandbox: {network: listen, exec: [/usr/bin/helm]}\n")
	greedy := filepath.Join(h.dir, "greedy")
	h.must("package", "--asks", asks, filepath.Join(two, "driver"), greedy)
	if out := h.must("install", greedy); !strings.Contains(out, "acme_k8s asks for: network to listen, exec /usr/bin/helm, 4096 open files\n") {
		t.Errorf("install says %s", out)
	}
	var info struct{ Asks store.Asks }
	if err := json.Unmarshal([]byte(h.must("info", "acme_k8s")), &info); err != nil {
		t.Fatal(err)
	}
	want := store.Asks{
		Resources: launch.Limits{Files: 4096},
		Sandbox:   launch.Sandbox{Network: launch.NetworkListen, Exec: []string{"/usr/bin/helm"}},
	}
	if diff := cmp.Diff(want, info.Asks); diff != "" {
		t.Errorf("info (-want +got):\n%s", diff)
	}
	h.refused(1, "asks.yaml: it must have resources or sandbox, and nothing else",
		"package", "--asks", h.write("asks.yaml", "sandbox: {execute: [/bin/sh]}"), filepath.Join(two, "driver"), greedy)
	h.refused(1, `asks.yaml: sandbox: "helm" is not an absolute path`,
		"conform", "--asks", h.write("asks.yaml", "sandbox: {exec: [helm]}"), filepath.Join(two, "driver"))
	h.refused(1, "is a package: what it asks for is in its manifest",
		"conform", "--asks", h.write("asks.yaml", "sandbox: {exec: [/usr/bin/helm]}"), two)
}
