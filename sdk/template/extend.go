package template

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

// Clone copies a definition so that the copy can be changed freely. What a
// vendor needs most:
//
//	d := atomic.Definition()
//	d.Name = "k8s_acme_v1"
//	d.Labels = append(d.Labels, template.Label{Name: "instance_store_type", …})
//	d.Parameters = append(d.Parameters, template.Parameter{…})
//	d.Files = template.Overlay(d.Files, acme) // acme's files win
//
// A parameter goes to both main templates unless its In says otherwise, so a
// driver with node groups gets it into both, or names the one.
func (d *Definition) Clone() *Definition {
	c := *d
	c.Types = slices.Clone(d.Types)
	c.NetworkDrivers = slices.Clone(d.NetworkDrivers)
	c.VolumeDrivers = slices.Clone(d.VolumeDrivers)
	c.Capabilities = slices.Clone(d.Capabilities)
	c.UpgradeLabels = slices.Clone(d.UpgradeLabels)
	c.TrustFor = slices.Clone(d.TrustFor)
	c.Labels = slices.Clone(d.Labels)
	c.Parameters = slices.Clone(d.Parameters)
	c.Outputs = slices.Clone(d.Outputs)
	c.Environments = slices.Clone(d.Environments)
	c.Checks = slices.Clone(d.Checks)
	c.Scripts = make(map[string][]Fragment, len(d.Scripts))
	for name, fragments := range d.Scripts {
		c.Scripts[name] = slices.Clone(fragments)
	}
	return &c
}

// SetLabel adds a label, in place of one of the same name.
func (d *Definition) SetLabel(l Label) {
	d.Labels = append(slices.DeleteFunc(d.Labels, func(have Label) bool { return have.Name == l.Name }), l)
}

// SetParameter adds a parameter, in place of those of the same name.
func (d *Definition) SetParameter(p Parameter) {
	d.Parameters = append(slices.DeleteFunc(d.Parameters, func(have Parameter) bool { return have.Name == p.Name }), p)
}

// InsertFragment puts a step into a script before the named one, or at the end
// where before is "".
func (d *Definition) InsertFragment(script, before string, f Fragment) error {
	list, ok := d.Scripts[script]
	if !ok {
		return errors.New("there is no script " + script)
	}
	at := len(list)
	if before != "" {
		at = slices.IndexFunc(list, func(have Fragment) bool { return have.Name == before })
		if at < 0 {
			return errors.New("script " + script + " has no fragment " + before)
		}
	}
	d.Scripts[script] = slices.Insert(list, at, f)
	return nil
}

// Overlay is one folder laid over another: a file of the upper one hides the
// lower one's of the same name, with or without the ending .tmpl.
func Overlay(lower, upper fs.FS) fs.FS { return overlay{lower: lower, upper: upper} }

type overlay struct{ lower, upper fs.FS }

// Open opens the upper file if there is one, else the lower one. A folder is
// the union of both.
func (o overlay) Open(name string) (fs.File, error) {
	up, err := fs.Stat(o.upper, name)
	if err == nil && !up.IsDir() {
		return o.upper.Open(name)
	}
	low, lowErr := fs.Stat(o.lower, name)
	switch {
	case err == nil || lowErr == nil && low.IsDir():
		return o.folder(name)
	case lowErr != nil:
		return nil, lowErr
	case o.hidden(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return o.lower.Open(name)
}

// hidden reports whether the upper folder has a lower file under its other
// name.
func (o overlay) hidden(name string) bool {
	other, cut := strings.CutSuffix(name, suffix)
	if !cut {
		other += suffix
	}
	_, err := fs.Stat(o.upper, other)
	return err == nil
}

func (o overlay) folder(name string) (fs.File, error) {
	entries := map[string]fs.DirEntry{}
	low, lowErr := fs.ReadDir(o.lower, name)
	for _, e := range low {
		path := e.Name()
		if name != "." {
			path = name + "/" + path
		}
		if e.IsDir() || !o.hidden(path) {
			entries[e.Name()] = e
		}
	}
	up, upErr := fs.ReadDir(o.upper, name)
	for _, e := range up {
		entries[e.Name()] = e
	}
	if lowErr != nil && upErr != nil {
		return nil, lowErr
	}
	info, err := fs.Stat(o.lower, name)
	if err != nil {
		if info, err = fs.Stat(o.upper, name); err != nil {
			return nil, err
		}
	}
	list := make([]fs.DirEntry, 0, len(entries))
	for _, k := range slices.Sorted(maps.Keys(entries)) {
		list = append(list, entries[k])
	}
	return &folder{info: info, entries: list}, nil
}

// folder is an open folder of an overlay.
type folder struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }
func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: errors.New("is a directory")}
}

func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		all := f.entries
		f.entries = nil
		return all, nil
	}
	if len(f.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.entries))
	part := f.entries[:n]
	f.entries = f.entries[n:]
	return part, nil
}
