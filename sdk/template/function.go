package template

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// forbidden are sprig's functions whose answer depends on more than their
// arguments: chance, the clock, the environment, the network, the order of a
// map. Sprig's own list of them leaves several out.
var forbidden = []string{
	"ago", "now", "date", "dateInZone", "date_in_zone", "dateModify", "date_modify", "mustDateModify", "must_date_modify",
	"htmlDate", "htmlDateInZone", "toDate", "mustToDate", "unixEpoch", "duration", "durationRound",
	"randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4",
	"env", "expandenv", "getHostByName",
	"bcrypt", "htpasswd", "encryptAES", "derivePassword", "genPrivateKey", "buildCustomCert",
	"genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey",
	"keys", "values", "hello",
}

// functions are what template files may call: sprig without the forbidden,
// and ours.
func functions(r *renderer) template.FuncMap {
	f := sprig.TxtFuncMap()
	for _, name := range forbidden {
		delete(f, name)
	}
	f["include"] = r.include
	f["fragments"] = r.fragments
	f["names"] = names
	f["gzip"] = compress
	return f
}

// compress packs a text that is too long for user data; b64enc makes a text of it
// again.
func compress(text string) (string, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return b.String(), nil
}

// names are the keys of a map, sorted: sprig's keys have any order.
func names(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// renderer turns the files of a definition into those of a stack.
type renderer struct {
	definition *Definition
	values     *Values
	set        *template.Template
	plain      map[string]string // files that need no rendering
	// asked holds the files that are being rendered right now, so that one
	// that includes itself is an error and not an end of the stack.
	asked map[string]bool
	depth int // of included definitions
}

const (
	suffix = ".tmpl"
	// maxDepth is far more than templates for people need.
	maxDepth = 100
)

func newRenderer(d *Definition, v *Values) (*renderer, error) {
	r := &renderer{definition: d, values: v, plain: map[string]string{}, asked: map[string]bool{}}
	if d.Files == nil {
		return nil, errors.New("the definition has no files")
	}
	r.set = template.New("").Option("missingkey=error").Funcs(functions(r))
	err := fs.WalkDir(d.Files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(d.Files, path)
		if err != nil {
			return err
		}
		name, rendered := strings.CutSuffix(path, suffix)
		if !rendered {
			r.plain[path] = string(b)
			return nil
		}
		_, err = r.set.New(name).Parse(string(b))
		return err
	})
	return r, err
}

// file is one file as Heat gets it.
func (r *renderer) file(name string) (string, error) {
	if text, ok := r.plain[name]; ok {
		return text, nil
	}
	t := r.set.Lookup(name)
	if t == nil || t.Tree == nil {
		return "", fmt.Errorf("there is no file %s", name)
	}
	if r.asked[name] {
		return "", fmt.Errorf("file %s includes itself", name)
	}
	r.asked[name] = true
	defer delete(r.asked, name)
	var b bytes.Buffer
	if err := t.Execute(&b, r.values); err != nil {
		return "", err
	}
	return b.String(), nil
}

// include is the text of another file, rendered, or with an argument that of a
// definition. Unlike the action template it can be used in a pipeline, and the
// name can be made of parts.
func (r *renderer) include(name string, data ...any) (string, error) {
	switch len(data) {
	case 0:
		return r.file(name)
	case 1:
		if r.depth >= maxDepth {
			return "", fmt.Errorf("definition %s includes itself", name)
		}
		r.depth++
		defer func() { r.depth-- }()
		var b bytes.Buffer
		err := r.set.ExecuteTemplate(&b, name, data[0])
		return b.String(), err
	}
	return "", fmt.Errorf("include of %s has %d arguments, expecting one", name, len(data))
}

// Step is a fragment with its text, as template files get it.
type Step struct{ Name, Body string }

// fragments are a script's steps, in order, without those whose condition does
// not hold.
func (r *renderer) fragments(script string) ([]Step, error) {
	var out []Step
	for _, f := range r.values.Fragments(script) {
		body, err := r.file(f.File)
		if err != nil {
			return nil, fmt.Errorf("fragment %s: %w", f.Name, err)
		}
		out = append(out, Step{Name: f.Name, Body: body})
	}
	return out, nil
}

// names are the files a stack may refer to, sorted: all but partials.
func (r *renderer) names() []string {
	all := maps.Clone(r.plain)
	for _, t := range r.set.Templates() {
		if _, err := fs.Stat(r.definition.Files, t.Name()+suffix); err == nil {
			all[t.Name()] = ""
		}
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool {
		return strings.HasPrefix(name[strings.LastIndex(name, "/")+1:], "_")
	})
}
