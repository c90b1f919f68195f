package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// interpreter runs the openstack client's own code for one command after the
// other. A process for each would spend most of its two seconds with loading.
// It stays one user's: the client keeps whom it is logged in as.
type interpreter struct {
	t    *testing.T
	to   *json.Encoder
	from *json.Decoder
}

const loop = `
import contextlib, io, json, os, sys
from openstackclient import shell
answers = sys.stdout
for line in sys.stdin:
    job = json.loads(line)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            status = shell.main(job["args"])
        except SystemExit as stop:
            status = stop.code
    print(json.dumps({"status": status or 0, "out": out.getvalue()}), file=answers, flush=True)
`

func newInterpreter(t *testing.T, rc map[string]string, dir string) *interpreter {
	t.Helper()
	newCLI(t, nil) // leaves the test out where there is no client
	path, err := exec.LookPath("openstack")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer script.Close()
	first, err := bufio.NewReader(script).ReadString('\n')
	python, ok := strings.CutPrefix(strings.TrimSpace(first), "#!")
	if err != nil || !ok {
		t.Fatalf("%s names no interpreter: %q", path, first)
	}
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(python), "-c", loop)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SHELL=/bin/sh", "LC_ALL=C.UTF-8", "no_proxy=127.0.0.1"}
	for k, v := range rc {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("the client's interpreter: %v", err)
		}
	})
	return &interpreter{t: t, to: json.NewEncoder(in), from: json.NewDecoder(out)}
}

// run returns the exit status and what was printed.
func (i *interpreter) run(args ...string) (int, string) {
	i.t.Helper()
	job := struct {
		Args []string `json:"args"`
	}{args}
	var answer struct {
		Status int    `json:"status"`
		Out    string `json:"out"`
	}
	if err := i.to.Encode(job); err != nil {
		i.t.Fatalf("openstack %s: %v", strings.Join(args, " "), err)
	}
	if err := i.from.Decode(&answer); err != nil {
		i.t.Fatalf("openstack %s: %v", strings.Join(args, " "), err)
	}
	return answer.Status, answer.Out
}
