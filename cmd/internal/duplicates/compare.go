package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// allowed is how many equal lines in a row two drivers may have.
const allowed = 12

// line is one that counts: no blank one, no comment, without its indentation.
type line struct {
	text   string
	number int
}

// text is a file of a driver.
type text struct {
	driver, path string
	lines        []line
}

// place is a line of a text.
type place struct{ text, line int }

// run is what two drivers have both.
type run struct {
	a, b   string // file:line
	length int
}

func (r run) String() string {
	return fmt.Sprintf("%s and %s: %d equal lines", r.a, r.b, r.length)
}

// compare finds the runs of more than the allowed lines that are in two of the
// folders.
func compare(folders []string) ([]run, error) {
	var all []text
	for _, folder := range folders {
		texts, err := read(folder)
		if err != nil {
			return nil, err
		}
		all = append(all, texts...)
	}
	windows := map[string][]place{}
	for i, t := range all {
		for at := range t.lines {
			if key, ok := t.window(at); ok {
				windows[key] = append(windows[key], place{i, at})
			}
		}
	}
	var found []run
	for i, t := range all {
		for at := range t.lines {
			key, ok := t.window(at)
			if !ok {
				continue
			}
			for _, other := range windows[key] {
				u := all[other.text]
				// The first window of a run only, and each pair once.
				if other.text <= i || u.driver == t.driver || at > 0 && other.line > 0 && t.lines[at-1].text == u.lines[other.line-1].text {
					continue
				}
				n := 0
				for at+n < len(t.lines) && other.line+n < len(u.lines) && t.lines[at+n].text == u.lines[other.line+n].text {
					n++
				}
				found = append(found, run{
					a:      fmt.Sprintf("%s:%d", t.path, t.lines[at].number),
					b:      fmt.Sprintf("%s:%d", u.path, u.lines[other.line].number),
					length: n,
				})
			}
		}
	}
	return found, nil
}

// window is the shortest run that is too long, from a line on.
func (t text) window(at int) (string, bool) {
	if at+allowed+1 > len(t.lines) {
		return "", false
	}
	var b strings.Builder
	for _, l := range t.lines[at : at+allowed+1] {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String(), true
}

// read reads what people write: no module files, and nothing that a test has
// written down.
func read(folder string) ([]text, error) {
	var out []text
	files := os.DirFS(folder)
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if e.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".tmpl", ".yaml", ".yml", ".sh", ".json", ".py"}, filepath.Ext(path)) {
			return nil
		}
		b, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		out = append(out, text{driver: folder, path: filepath.Join(folder, path), lines: significant(string(b))})
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s has no file to compare", folder)
	}
	return out, err
}

// significant are the lines that count. Comments are those of Go, of shell and
// YAML, and of templates, where they may be longer than a line.
func significant(s string) []line {
	var out []line
	comment := false
	for i, l := range strings.Split(s, "\n") {
		l = strings.TrimSpace(l)
		opens := strings.HasPrefix(l, "{{- /*") || strings.HasPrefix(l, "{{/*") || strings.HasPrefix(l, "/*")
		if comment || opens {
			comment = !strings.Contains(l, "*/")
			continue
		}
		if l == "" || strings.HasPrefix(l, "#") || strings.HasPrefix(l, "//") {
			continue
		}
		out = append(out, line{text: l, number: i + 1})
	}
	return out
}
