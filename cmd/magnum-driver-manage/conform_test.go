package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The driver of these tests keeps some rules and breaks others.
func TestConform(t *testing.T) {
	h := newHost(t)
	out := h.must("conform", one, "--rule", "DRV-013", "-f", "json")
	var got []map[string]string
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{{
		"Rule": "DRV-013", "About": "name, version, maturity and cluster types", "Verdict": "pass", "Reason": "",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	h.must("conform", filepath.Join(one, "driver"), "--rule", "DRV-013")
	if got := h.installed(); got != "0 in the store\n" {
		t.Errorf("a package was left in the store: %s", got)
	}

	h.refused(1, "1 of 2 rules are broken", "conform", one, "--rule", "DRV-013", "--rule", "DRV-052")
	h.refused(2, `rule "DRV-999"`, "conform", one, "--rule", "DRV-999")
	h.refused(10, "files.sha256", "conform", t.TempDir())
	h.refused(1, "no such file", "conform", filepath.Join(t.TempDir(), "nowhere"))
}
