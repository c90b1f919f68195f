package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// step is one thing that a reader of the tutorial does.
type step struct {
	kind string // the code block's: sh, sh background, diff
	text string // a command, or a patch
	// What a command's comment says: repeat it until it prints that; it must
	// fail and print that; the command in the background logs that soon. Of
	// that command itself the comment is what it prints when it is up.
	until, fails, log, comment string
}

// steps are those of a page, in their order. A command may go on in the next
// lines with a here-document.
func steps(t *testing.T, path string) []step {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	var all []step
	kind, open, here := "", false, ""
	for line := range strings.Lines(string(page)) {
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			kind, open = strings.TrimSpace(fence), !open
			if open && kind == "diff" {
				all = append(all, step{kind: kind})
			}
			continue
		}
		last := len(all) - 1
		switch {
		case !open || kind != "diff" && strings.TrimSpace(line) == "":
		case kind == "diff":
			all[last].text += line
		case here != "":
			all[last].text += line
			if strings.TrimSpace(line) == here {
				here = ""
			}
		default:
			command, comment, _ := strings.Cut(strings.TrimSpace(line), "  # ")
			s := step{kind: kind, text: command, comment: comment}
			for word, to := range map[string]*string{"until": &s.until, "fails": &s.fails, "log": &s.log} {
				if text, ok := strings.CutPrefix(comment, word+": "); ok {
					*to = text
				}
			}
			if _, word, ok := strings.Cut(command, "<<"); ok {
				s.text, here = line, word
			}
			all = append(all, s)
		}
	}
	return all
}

// reader is somebody at a shell, with an empty home but for a checkout.
type reader struct {
	t    *testing.T
	home string
	env  string // file with the shell's variables, as the last command left them
	dir  string // where the last command left the shell
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, home: t.TempDir()}
	r.env, r.dir = filepath.Join(r.home, ".env"), r.home
	t.Cleanup(func() { // the driver store is read-only
		_ = filepath.WalkDir(r.home, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
	})
	root, err := filepath.Abs("../../..")
	if err == nil {
		err = os.Mkdir(filepath.Join(r.home, "magnum"), 0o755)
	}
	if err == nil {
		err = os.Symlink(filepath.Join(root, "sdk"), filepath.Join(r.home, "magnum", "sdk"))
	}
	if err == nil {
		err = os.Symlink(binDir, filepath.Join(r.home, "magnum", "bin"))
	}
	if err == nil {
		err = os.WriteFile(r.env, nil, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// environment is that of a fresh login: Go has the modules that are on this
// machine, and no others.
func (r *reader) environment() []string {
	r.t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	cache := strings.Fields(string(out))
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.home, "SHELL=/bin/sh", "LC_ALL=C.UTF-8", "no_proxy=127.0.0.1",
		"GOMODCACHE=" + cache[0], "GOCACHE=" + cache[1], "GOPROXY=off", "GOFLAGS=-mod=mod -tags=grpcnotrace", // as make has built the rest
	}
}

// command is one in the shell, which goes on where the one before has left it.
func (r *reader) command(ctx context.Context, text string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", ". ~/.env; "+text+"\nstatus=$?; export -p >~/.env; pwd >~/.dir; exit $status")
	cmd.Env, cmd.Dir = r.environment(), r.dir
	return cmd
}

func (r *reader) run(text string) (string, error) {
	r.t.Helper()
	out, err := r.command(r.t.Context(), text).CombinedOutput()
	dir, failed := os.ReadFile(filepath.Join(r.home, ".dir"))
	if failed != nil {
		r.t.Fatal(failed)
	}
	r.dir = strings.TrimSpace(string(dir))
	return string(out), err
}

// TestTutorial does what docs/drivers/tutorial.md says, from an empty folder to
// clusters of a new driver and of its second version.
func TestTutorial(t *testing.T) {
	t.Parallel()
	started := time.Now()
	r := newReader(t)
	said := &logs{}
	defer func() {
		if t.Failed() {
			t.Logf("magnum-dev said:\n%s", said.tail(10000))
		}
	}()
	all := steps(t, "docs/drivers/tutorial.md")
	r.follow(all, said)
	took := time.Since(started)
	t.Logf("%d steps in %v", len(all), took.Round(time.Second))
	if took > 5*time.Minute {
		t.Errorf("the tutorial took %v, want less than 5 minutes", took)
	}
}

// TestDebuggerPage does what docs/drivers/debugger.md says, but for the debuggers.
func TestDebuggerPage(t *testing.T) {
	t.Parallel()
	said := &logs{}
	defer func() {
		if t.Failed() {
			t.Logf("driver and magnum-dev said:\n%s", said.tail(10000))
		}
	}()
	newReader(t).follow(steps(t, "docs/drivers/debugger.md"), said)
}

// follow does what a page says. What its commands in the background print is in
// said; one that is there a second time is ended, and started again.
func (r *reader) follow(all []step, said *logs) {
	r.t.Helper()
	running := map[string]*process{}
	for _, s := range all {
		if strings.HasPrefix(s.text, "openstack ") {
			newCLI(r.t, nil) // leaves out the rest where there is no client
		}
		switch s.kind {
		case "diff":
			r.patch(s.text)
		case "sh background":
			if p := running[s.text]; p != nil {
				_ = p.cmd.Process.Signal(os.Interrupt)
				p.died(r.t, 10*time.Second)
			}
			text := "exec " + s.text
			if strings.HasPrefix(s.text, "magnum-dev ") {
				text += " --listen 127.0.0.1:0" // the port that the page has may be taken on this machine
			}
			before := len(said.String())
			running[s.text] = background(r.t, said, r.command(context.WithoutCancel(r.t.Context()), text))
			poll(r.t, time.Minute, s.text+" to say "+s.comment, func() (bool, error) {
				return strings.Contains(said.String()[before:], s.comment), nil
			})
		case "sh":
			r.obey(s)
			poll(r.t, time.Minute, s.text+" to make the log say "+s.log, func() (bool, error) { return strings.Contains(said.String(), s.log), nil })
		case "text":
		default:
			r.t.Fatalf("a code block of kind %q, with which nothing is done: %s", s.kind, s.text)
		}
	}
}

// obey returns what the command printed.
func (r *reader) obey(s step) string {
	r.t.Helper()
	var out string
	var err error
	if s.until == "" {
		out, err = r.run(s.text)
	} else {
		poll(r.t, time.Minute, s.text+" to print "+s.until, func() (bool, error) {
			out, _ = r.run(s.text)
			return strings.Contains(out, s.until), nil
		})
	}
	switch {
	case s.fails != "" && (err == nil || !strings.Contains(out, s.fails)):
		r.t.Fatalf("%s: %v, want a failure that says %q:\n%s", s.text, err, s.fails, out)
	case s.fails == "" && err != nil:
		r.t.Fatalf("%s: %v\n%s", s.text, err, out)
	}
	r.t.Logf("%s\n%s", s.text, out)
	return out
}

// patch makes a change to files that the page shows.
func (r *reader) patch(diff string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", "apply", "-")
	cmd.Env, cmd.Dir, cmd.Stdin = r.environment(), r.dir, strings.NewReader(diff)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("the change does not fit: %v\n%s\n%s", err, out, diff)
	}
}
