// Package scaffold writes the first files of a new driver.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/go-magnum/magnum/sdk/serve"
)

// files are text templates with the delimiters <% and %>, which neither Go nor
// Heat has.
//
//go:embed all:files
var files embed.FS

const (
	suffix = ".tmpl"
	module = "github.com/go-magnum/magnum/sdk"
)

// Driver is what to write. All fields are required.
type Driver struct {
	Name string
	Dir  string // made if it is not there; must be empty
	SDK  string // the SDK's folder in a checkout
}

// Write writes the files of a driver that can be built as it is.
func Write(d Driver) error {
	if !regexp.MustCompile(serve.NamePattern).MatchString(d.Name) {
		return fmt.Errorf("the name %q is none for a driver: it must match %s", d.Name, serve.NamePattern)
	}
	mod, sum, err := d.requirements()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.Dir, 0o755); err != nil { //nolint:gosec // sources
		return fmt.Errorf("make the driver's folder: %w", err)
	}
	if there, err := os.ReadDir(d.Dir); err != nil {
		return fmt.Errorf("look into the driver's folder: %w", err)
	} else if len(there) > 0 {
		return fmt.Errorf("%s is not empty: name a folder that is, or that is not there yet", d.Dir)
	}
	write := func(name string, text []byte) error {
		path := filepath.Join(d.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // sources
			return err
		}
		return os.WriteFile(path, text, 0o644)
	}
	return errors.Join(write("go.mod", mod), write("go.sum", sum), d.render(write))
}

func (d Driver) render(write func(name string, text []byte) error) error {
	return fs.WalkDir(files, "files", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		t, err := template.New(path).Delims("<%", "%>").Parse(string(source))
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, d); err != nil {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "files/"), suffix)
		if name == "gitignore" {
			name = ".gitignore"
		}
		return write(name, text.Bytes())
	})
}

// requirements are go.mod and go.sum: the SDK where the checkout has it, and all
// that it needs in the versions and with the sums that it has itself. So a
// driver is built from the modules that the checkout was built from, and nothing
// is asked of a network.
func (d Driver) requirements() (mod, sum []byte, err error) {
	// Go would take a path through a link as another module's root.
	sdk, err := filepath.EvalSymlinks(d.SDK)
	if err == nil {
		sdk, err = filepath.Abs(sdk)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find the SDK: %w", err)
	}
	theirs, err := os.ReadFile(filepath.Join(sdk, "go.mod"))
	if err != nil {
		return nil, nil, fmt.Errorf("read the SDK's requirements: %w", err)
	}
	requires, ok := strings.CutPrefix(string(theirs), "module "+module+"\n")
	if !ok {
		return nil, nil, fmt.Errorf("%s is not the SDK: name the folder sdk of a checkout of Magnum", sdk)
	}
	if sum, err = os.ReadFile(filepath.Join(sdk, "go.sum")); err != nil {
		return nil, nil, fmt.Errorf("read the SDK's requirements: %w", err)
	}
	text := fmt.Sprintf("module %s\n%s\nrequire %s v0.0.0\n\nreplace %s => %s\n", d.Name, requires, module, module, quoted(sdk))
	return []byte(text), sum, nil
}

// quoted is a path as go.mod wants one with blanks.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t'(),[]{}") {
		return fmt.Sprintf("%q", path)
	}
	return path
}
