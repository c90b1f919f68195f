package policy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// tree writes files below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		put(t, filepath.Join(root, name), text)
	}
	return root
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	const allow, deny = `{"cluster:create": "role:operator"}`, `{"cluster:create": "!"}`
	standard := Config{File: "policy.yaml", Dirs: []string{"policy.d"}, Folders: []string{"mine", "system"}}
	for name, c := range map[string]struct {
		files map[string]string
		use   Config
		want  bool
	}{
		"beside the configuration": {map[string]string{"mine/policy.yaml": allow, "system/policy.yaml": deny}, standard, true},
		"the system's":             {map[string]string{"system/policy.yaml": allow}, standard, true},
		"json":                     {map[string]string{"mine/policy.json": allow}, standard, true},
		"yaml before json":         {map[string]string{"mine/policy.json": deny, "system/policy.yaml": allow}, standard, true},
		"json only by default":     {map[string]string{"mine/policy.json": allow}, Config{File: "other.yaml", Folders: standard.Folders}, false},
		"folder after file":        {map[string]string{"mine/policy.yaml": deny, "mine/policy.d/a.yaml": allow}, standard, true},
		"folder elsewhere":         {map[string]string{"mine/policy.yaml": deny, "system/policy.d/a.yaml": allow}, standard, true},
		"later name wins":          {map[string]string{"mine/policy.d/10.yaml": deny, "mine/policy.d/20.json": allow}, standard, true},
		"hidden file":              {map[string]string{"mine/policy.d/10.yaml": allow, "mine/policy.d/.20.yaml.swp": deny}, standard, true},
		"folder in a folder":       {map[string]string{"mine/policy.d/10.yaml": allow, "mine/policy.d/sub/x.yaml": deny}, standard, true},
		"later folder wins": {map[string]string{"mine/a/z.yaml": deny, "mine/b/a.yaml": allow},
			Config{Dirs: []string{"a", "b"}, Folders: standard.Folders}, true},
		"nothing": {nil, standard, false},
	} {
		root := tree(t, c.files)
		folders := make([]string, 0, len(c.use.Folders))
		for _, f := range c.use.Folders {
			folders = append(folders, filepath.Join(root, f))
		}
		c.use.Folders = folders
		e, err := New(c.use, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		who := Credentials{Roles: []string{"operator"}} // may do nothing by default
		if got := e.Allowed(t.Context(), "cluster:create", &who, target{}); got != c.want {
			t.Errorf("%s: allowed %v, want %v", name, got, c.want)
		}
	}
	root := tree(t, map[string]string{"policy.d/bad.yaml": "a: ("})
	if _, err := New(Config{Dirs: []string{filepath.Join(root, "policy.d")}}, nil); err == nil || !strings.Contains(err.Error(), "policy a") {
		t.Errorf("a broken file in a folder: %v", err)
	}
	root = tree(t, map[string]string{"policy.d": "a: '@'"})
	if _, err := New(Config{Dirs: []string{filepath.Join(root, "policy.d")}}, nil); err == nil {
		t.Error("a file is accepted as a folder")
	}
}

func TestDefaultRule(t *testing.T) {
	texts := map[string]string{Admin: "!", "default": "role:x", "known": "rule:unknown", "denied": "!"}
	e, err := compile(texts, "default")
	if err != nil {
		t.Fatal(err)
	}
	x, y := &Credentials{Roles: []string{"x"}}, &Credentials{Roles: []string{"y"}}
	for _, rule := range []string{"known", "absent"} {
		if !e.Allowed(t.Context(), rule, x, nil) || e.Allowed(t.Context(), rule, y, nil) {
			t.Errorf("%s is not decided by the default rule", rule)
		}
	}
	if e.Allowed(t.Context(), "denied", x, nil) || e.Has("absent") {
		t.Error("the default rule takes the place of another")
	}
	if e, err = compile(texts, "missing"); err != nil || e.Allowed(t.Context(), "known", x, nil) || e.Allowed(t.Context(), "absent", x, nil) {
		t.Errorf("a default rule that is not there allows something (%v)", err)
	}
	if _, err := compile(map[string]string{"default": "rule:absent"}, "default"); err == nil {
		t.Error("a default rule that refers to itself through an absent one is accepted")
	}
}

func TestWatch(t *testing.T) {
	root := tree(t, nil)
	path := filepath.Join(root, "policy.yaml")
	var log bytes.Buffer
	now := time.Unix(1000, 0)
	w, err := Watch(Config{File: "policy.yaml", Dirs: []string{"policy.d"}, Folders: []string{root}},
		hclog.New(&hclog.LoggerOptions{Output: &log}), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	caller, object := &Credentials{ProjectID: "p", Roles: []string{"member"}}, target{"project_id": "p"}
	allowed := func() bool { return w.Rules().Allowed(t.Context(), "cluster:create", caller, object) }
	step := func(what string, want bool) {
		t.Helper()
		if got := allowed(); got != want {
			t.Errorf("%s: allowed %v, want %v\n%s", what, got, want, log.String())
		}
	}
	step("no file", true)
	put(t, path, "cluster:create: '!'")
	step("a new file within the second", true)
	now = now.Add(pause)
	before := w.Rules()
	step("a new file", false)
	put(t, path, "cluster:create: '@'")
	now = now.Add(pause)
	step("a changed file", true)
	if before.Allowed(t.Context(), "cluster:create", caller, object) {
		t.Error("rules that a request holds changed under it")
	}

	log.Reset()
	put(t, path, "cluster:create: '! and'")
	for range 3 {
		now = now.Add(pause)
		step("a broken file", true)
	}
	if n := strings.Count(log.String(), "cannot be used"); n != 1 {
		t.Errorf("a broken file is logged %d times:\n%s", n, log.String())
	}
	put(t, path, "cluster:create: '!'")
	now = now.Add(pause)
	step("a mended file", false)
	put(t, filepath.Join(root, "policy.d", "a.yaml"), "cluster:create: '@'")
	now = now.Add(pause)
	step("a file in the folder", true)
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	now = now.Add(pause)
	step("all gone", true)
	put(t, path, "cluster:create: '!'")
	now = now.Add(pause)
	step("back again", false)

	// Same size, another time.
	put(t, path, "cluster:create: '@'")
	if err := os.Chtimes(path, now.Add(time.Hour), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(pause)
	step("a file of the same size", true)
	if _, err := Watch(Config{File: tree(t, nil)}, nil, nil); err == nil {
		t.Error("a service starts with a policy that cannot be read")
	}
}

// TestWatchReplaced is about changes that size and time of a file do not show.
func TestWatchReplaced(t *testing.T) {
	root := tree(t, map[string]string{"policy.yaml": "r: '!'", "new": "r: '@'"})
	path := filepath.Join(root, "policy.yaml")
	long := time.Unix(1_000_000_000, 0)
	for _, p := range []string{path, filepath.Join(root, "new")} {
		if err := os.Chtimes(p, long, long); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	now := long.Add(time.Hour)
	w, err := Watch(Config{File: path}, hclog.New(&hclog.LoggerOptions{Output: &log}), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	step := func(what string, want bool, lines int) {
		t.Helper()
		log.Reset()
		for range 3 {
			now = now.Add(pause)
			if got := w.Rules().Allowed(t.Context(), "r", &Credentials{}, nil); got != want {
				t.Errorf("%s: allowed %v, want %v", what, got, want)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != lines {
			t.Errorf("%s: %d lines are logged, want %d:\n%s", what, n, lines, log.String())
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	step("nothing", false, 0)
	must(os.Rename(filepath.Join(root, "new"), path))
	step("another file with the same size and time", true, 1)

	// Written again within one tick of the file system's clock.
	tick := now
	for i, want := range []bool{false, true, false} {
		must(os.WriteFile(path, []byte([]string{"r: '!'", "r: '@'", "r: '!'"}[i]), 0o600))
		must(os.Chtimes(path, tick, tick))
		if i == 0 {
			now = now.Add(pause)
		} else {
			w.next.Store(0) // sooner than a look is due
		}
		if got := w.Rules().Allowed(t.Context(), "r", &Credentials{}, nil); got != want {
			t.Errorf("write %d with the same time and size: allowed %v, want %v", i, got, want)
		}
	}
	step("long after", false, 0)

	must(os.Remove(path))
	step("gone: the default denies", false, 1)
	must(os.Mkdir(path, 0o700))
	step("a folder in its place", false, 1)
	must(os.Remove(path))
	must(os.WriteFile(path, []byte("r: '@'"), 0o600))
	step("back", true, 1)
	must(os.WriteFile(path, []byte("r: '@'\nx: (\ny: ("), 0o600))
	step("broken", true, 1)
	must(os.WriteFile(path, []byte("r: '@'\nx: (\nz: (\ny: ("), 0o600))
	step("broken otherwise, for the same reason", true, 0)
	must(os.WriteFile(path, make([]byte, maxFile+1), 0o600))
	step("too large", true, 1)
	must(os.WriteFile(path, []byte("r: '@'"), 0o600))
	step("as before", true, 1)
}

func TestWatchTogether(t *testing.T) {
	root := tree(t, map[string]string{"policy.yaml": "cluster:create: '@'"})
	var mu sync.Mutex
	now := time.Unix(0, 0)
	tick := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(pause)
		return now
	}
	w, err := Watch(Config{File: "policy.yaml", Folders: []string{root}}, nil, tick)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if !w.Rules().Allowed(t.Context(), "cluster:create", &Credentials{}, nil) {
					t.Error("refused")
				}
			}
		})
	}
	all.Wait()
}
