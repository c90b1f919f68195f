package main

import (
	"strings"
	"testing"
)

func TestCrashes(t *testing.T) {
	h := newHost(t)
	if out := h.must("crashes", "-f", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("without any: %q", out)
	}
	const id = "acme_k8s-20260102T030405.000000000-77"
	h.write("drivers/crashes/"+id+".json", `{
		"id": "`+id+`", "driver": "acme_k8s", "version": "1.0.0", "pid": 77, "ended_at": "2026-01-02T03:04:05Z",
		"cause": "panic", "exit_status": 2, "last_words": "starting\npanic: <nil>", "trace": "panic: <nil>\n\ngoroutine 1",
		"calls": [{"method": "/magnum.driver.v1.Templates/Render", "seconds": 1.5}]}`)
	h.write("drivers/crashes/other-20260102T030406.000000000-78.json", `{
		"id": "other-20260102T030406.000000000-78", "driver": "other", "version": "2.0.0", "ended_at": "2026-01-02T03:04:06Z",
		"cause": "signal", "signal": "SIGKILL", "last_words": "one\ntwo"}`)
	want := id + " acme_k8s 1.0.0 2026-01-02T03:04:05Z panic exit status 2 1 panic: <nil>\n"
	if out := h.must("crashes", "-f", "value", "--driver", "acme_k8s"); out != want {
		t.Errorf("got %q", out)
	}
	if out := h.must("crashes", "-f", "value", "-c", "End", "-c", "Text"); out != "exit status 2 panic: <nil>\nSIGKILL two\n" {
		t.Errorf("got %q", out)
	}
	if out := h.must("crashes", id); !strings.Contains(out, `"trace": "panic: <nil>\n\ngoroutine 1"`) || !strings.Contains(out, "Templates/Render") {
		t.Errorf("got %s", out)
	}
	h.refused(exitNotFound, "there is no record of a crash nobody", "crashes", "nobody")

	// A damaged record is told of, and the others are shown.
	h.write("drivers/crashes/z-20260102T030405.000000000-9.json", "{")
	if out := h.must("crashes", "-f", "value", "-c", "Driver"); !strings.Contains(out, "acme_k8s\nother\n") || !strings.Contains(out, "z-2026") {
		t.Errorf("got %q", out)
	}
}
