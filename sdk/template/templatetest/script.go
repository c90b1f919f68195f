package templatetest

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Need skips a test whose program is not on this machine, and says so.
func Need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

func (s Suite) scriptsParse(t *testing.T) {
	Need(t, "sh")
	for _, c := range s.Cases {
		for name, script := range s.scripts(t, c) {
			cmd := exec.CommandContext(t.Context(), "sh", "-n")
			cmd.Stdin = strings.NewReader(script)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", c.Name, name, err, text)
			}
		}
	}
}

// shellcheck looks at each file below boot and at the whole scripts of the first
// case. Steps are read with the functions that they have on a node.
func (s Suite) shellcheck(t *testing.T) {
	Need(t, "shellcheck")
	dir := t.TempDir()
	files := s.Definition().Files
	var lib strings.Builder
	add := func(path string) error {
		text, err := fs.ReadFile(files, path)
		lib.Write(text)
		return err
	}
	if err := add("boot/lib.sh"); err != nil {
		t.Fatal(err)
	}
	var args []string
	look := func(path, text string) {
		path = filepath.Join(dir, path)
		write(t, path, text)
		args = append(args, path)
	}
	err := fs.WalkDir(files, "boot", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".sh") {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(path, "boot/lib/") {
			lib.Write(text)
		}
		if path == "boot/lib.sh" {
			path = "alone/lib.sh"
		}
		look(path, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range s.scripts(t, s.Cases[0]) {
		look("whole/"+filepath.Base(name), script)
	}
	write(t, filepath.Join(dir, "boot/lib.sh"), lib.String())
	write(t, filepath.Join(dir, "whole/lib.sh"), lib.String())
	args = append([]string{"--external-sources", "--source-path=SCRIPTDIR"}, args...)
	if text, err := exec.CommandContext(t.Context(), "shellcheck", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

var (
	reads   = regexp.MustCompile(`\b(?:param|is_true) ([a-z0-9_]+)`)
	written = regexp.MustCompile(`/etc/magnum/params/([a-z0-9_]+),`)
)

// paramsReach: what the scripts read is written for the node, in every stack
// that has such nodes.
func (s Suite) paramsReach(t *testing.T) {
	names := func(re *regexp.Regexp, texts ...string) map[string]bool {
		out := map[string]bool{}
		for _, text := range texts {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				out[m[1]] = true
			}
		}
		return out
	}
	missing := map[string][]string{}
	for _, c := range s.Cases {
		out := s.Render(t, s.of(c))
		for script, node := range s.Boot {
			text, ok := out.Files[script]
			if !ok {
				continue
			}
			have := names(written, out.Template, out.Files[node])
			for name := range names(reads, text) {
				if !have[name] && !slices.Contains(missing[script], name) {
					missing[script] = append(missing[script], name)
				}
			}
		}
	}
	for script := range s.Boot {
		want := slices.Clone(s.Unset[script])
		slices.Sort(want)
		slices.Sort(missing[script])
		if diff := cmp.Diff(want, missing[script]); diff != "" {
			t.Errorf("%s: values that it reads and a node does not get (-Unset +got):\n%s", script, diff)
		}
	}
}

// documentedLabels: the table that users read is the definition's.
func (s Suite) documentedLabels(t *testing.T) {
	if s.Page == "" {
		t.Skip("the driver names no page")
	}
	page, err := os.ReadFile(s.Page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(page), "-update` -->\n")
	_, tail, ends := strings.Cut(rest, "<!-- end -->")
	if !begins || !ends {
		t.Fatalf("%s has no place for the labels, from a line <!-- … `go test … -update` --> to <!-- end -->", s.Page)
	}
	var b strings.Builder
	b.WriteString("| label | default | group | |\n|---|---|---|---|\n")
	for _, l := range s.Definition().Labels {
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
	goldenFile(t, s.Page, head+"-update` -->\n"+b.String()+"<!-- end -->"+tail)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
