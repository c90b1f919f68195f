// Package archtest holds a module to its import rules. Each module has a test
// that calls [Check] with the rules of docs/design/0001-modules.md that concern
// it, so that a wall cannot be moved without the test being moved too.
package archtest

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Rule forbids imports to the packages of a folder.
type Rule struct {
	// Dir is the folder the rule is for, relative to the module's root, with
	// everything below it; "." is the whole module.
	Dir string
	// But lists folders below Dir that the rule is not for.
	But []string
	// Shipped is for rules that tests need not keep.
	Shipped bool
	// Deny lists import path prefixes.
	Deny []string
	// Except lists longer prefixes that are allowed all the same.
	Except []string
	// Why is printed with every breach.
	Why string
}

// Check reads the imports of every Go file below root, tests included, and
// reports those that break a rule. Nested modules are left to their own test.
func Check(t *testing.T, root string, rules ...Rule) {
	t.Helper()
	breaches, files, err := find(root, rules)
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatalf("no Go file below %s: the rules were checked against nothing", root)
	}
	for _, b := range breaches {
		t.Error(b)
	}
}

func find(root string, rules []Rule) (breaches []string, files int, err error) {
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (d.Name() == "testdata" || hasModule(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		files++
		f, err := parser.ParseFile(fset, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for _, r := range rules {
				if r.applies(filepath.ToSlash(rel)) && r.forbids(imp) {
					breaches = append(breaches, fmt.Sprintf("%s imports %s: %s", rel, imp, r.Why))
				}
			}
		}
		return nil
	})
	return breaches, files, err
}

func hasModule(dir string) bool {
	m, err := filepath.Glob(filepath.Join(dir, "go.mod"))
	return err == nil && len(m) > 0
}

func (r Rule) applies(file string) bool {
	if r.Shipped && strings.HasSuffix(file, "_test.go") {
		return false
	}
	for _, dir := range r.But {
		if strings.HasPrefix(file, dir+"/") {
			return false
		}
	}
	return r.Dir == "." || strings.HasPrefix(file, r.Dir+"/")
}

func (r Rule) forbids(imp string) bool {
	return below(imp, r.Deny) && !below(imp, r.Except)
}

func below(imp string, prefixes []string) bool {
	for _, p := range prefixes {
		if imp == p || strings.HasPrefix(imp, p+"/") {
			return true
		}
	}
	return false
}
