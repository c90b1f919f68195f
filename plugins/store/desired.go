package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/go-hclog"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/plugins/launch"
)

// desiredSuffix ends the name of a file of drivers.d; before it is the
// driver's name. What ends otherwise, or begins with a dot, is not read.
const desiredSuffix = ".yaml"

// Desired is what an operator wants of one driver: drivers.d/NAME.yaml.
type Desired struct {
	Name string
	// File is where that stands.
	File string
	// Source is where to get it, as [Store.Install] takes it; empty where only
	// what is installed is chosen from.
	Source string
	// Versions is a range, such as ">=1.2 <2", or one version; nil for any.
	Versions *semver.Constraints
	// Digest is the package's, as list shows it; empty for any.
	Digest string
	// Disabled leaves the driver without an active version.
	Disabled bool
	// LogLevel is what the driver logs at; hclog.NoLevel as the service does.
	LogLevel hclog.Level
	// Config is what the driver is configured with, a JSON object; nil for
	// nothing.
	Config []byte
}

// LoadDesired reads a folder of such files, by name. One that cannot be used is
// among the errors and hides no other. A folder that is not there wants nothing.
func LoadDesired(dir string) (all []Desired, bad []error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, []error{refuse(ErrDesired, "read which drivers are wanted: %w", err)}
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), desiredSuffix)
		if !ok || strings.HasPrefix(name, ".") {
			if strings.HasSuffix(e.Name(), ".yml") {
				bad = append(bad, refuse(ErrDesired, "%s is not read: its name must end in %s", filepath.Join(dir, e.Name()), desiredSuffix))
			}
			continue
		}
		d, err := loadDesired(dir, name)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		all = append(all, d)
	}
	return all, bad
}

// Configuration is what a driver is to be configured with, or nil.
func Configuration(dir, name string) ([]byte, error) {
	d, err := loadDesired(dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return d.Config, err
}

// LogLevel is the level that a driver is to log at, or hclog.NoLevel. A file that
// cannot be read is for [Configuration] to tell of.
func LogLevel(dir, name string) hclog.Level {
	d, err := loadDesired(dir, name)
	if err != nil {
		return hclog.NoLevel
	}
	return d.LogLevel
}

func loadDesired(dir, name string) (Desired, error) {
	file := filepath.Join(dir, name+desiredSuffix)
	d, err := readDesired(file)
	if err == nil {
		err = checkName(name)
	}
	if err != nil {
		return Desired{}, refuse(ErrDesired, "%s: %w", file, err)
	}
	d.Name, d.File = name, file
	return d, nil
}

// readDesired reads a file that says what runs here, so nobody else may write
// to it. Its configuration may hold secrets: no error quotes it.
func readDesired(file string) (d Desired, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return d, errors.Unwrap(err) // the file is named by the caller
	}
	if err := launch.CheckOwner(file); err != nil {
		return d, err
	}
	var in struct {
		Source   string    `yaml:"source"`
		Version  string    `yaml:"version"`
		Digest   string    `yaml:"digest"`
		Enabled  *bool     `yaml:"enabled"`
		LogLevel string    `yaml:"log_level"`
		Config   yaml.Node `yaml:"config"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // a misspelt field must not go unseen
	if err := decoder.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return d, err
	}
	d.Source, d.Digest, d.Disabled = in.Source, in.Digest, in.Enabled != nil && !*in.Enabled
	if d.Source != "" {
		src, err := parseSource(d.Source)
		if err != nil {
			return d, fmt.Errorf("source: %w", err)
		}
		if src.path != "" && !filepath.IsAbs(src.path) {
			return d, fmt.Errorf("source: %q is not an absolute path", src.path)
		}
	}
	if d.Digest != "" && !digestPattern.MatchString(d.Digest) {
		return d, fmt.Errorf("digest: %q is not a sha256 in hex", d.Digest)
	}
	if in.LogLevel != "" {
		if d.LogLevel = hclog.LevelFromString(in.LogLevel); d.LogLevel == hclog.NoLevel {
			return d, fmt.Errorf("log_level: %q is none of trace, debug, info, warn, error and off", in.LogLevel)
		}
	}
	if in.Version != "" {
		if d.Versions, err = semver.NewConstraint(in.Version); err != nil {
			return d, fmt.Errorf("version: %q is neither a version nor a range, such as 1.2.3 or \">=1.2 <2\"", in.Version)
		}
	}
	d.Config, err = configJSON(&in.Config)
	return d, err
}

// configJSON turns the configuration into what drivers take.
func configJSON(node *yaml.Node) ([]byte, error) {
	if node.IsZero() || node.Tag == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("config, line %d: it is not a mapping", node.Line)
	}
	plainDates(node)
	var value map[string]any
	// Neither package says what is wrong without saying what is there.
	if err := node.Decode(&value); err != nil {
		return nil, fmt.Errorf("config, line %d: it cannot be read: every key must be a text and stand once", node.Line)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("config, line %d: it cannot be said in JSON", node.Line)
	}
	return text, nil
}

// plainDates leaves a date the text that it is: JSON has none.
func plainDates(node *yaml.Node) {
	if node.Tag == "!!timestamp" {
		node.Tag = "!!str"
	}
	for _, n := range node.Content {
		plainDates(n)
	}
}

// admits reports whether a version may be the active one.
func (d Desired) admits(version, digest string) bool {
	if d.Digest != "" && d.Digest != digest {
		return false
	}
	v, err := semver.StrictNewVersion(version)
	return err == nil && (d.Versions == nil || d.Versions.Check(v))
}

// Check refuses a package that is not what is wanted, or that does not take the
// configuration.
func (d Desired) Check(p Package) error {
	switch {
	case p.Name != d.Name:
		return refuse(ErrOtherDriver, "it is driver %s, but %s is wanted", p, d.Name)
	case d.Digest != "" && p.Digest != d.Digest:
		return refuse(ErrOtherDigest, "driver %s has the digest %s, but %s is wanted", p, p.Digest, d.Digest)
	case !d.admits(p.Version, p.Digest):
		return refuse(ErrOtherDriver, "it is driver %s, but a version %q is wanted", p, d.Versions)
	case d.Config == nil:
		return nil
	}
	return p.CheckConfig(d.Config)
}

// newest is the newest of the packages that is wanted.
func (d Desired) newest(packages []Package) (Package, bool) {
	packages = slices.DeleteFunc(slices.Clone(packages), func(p Package) bool {
		return p.Name != d.Name || p.Damage != nil || !d.admits(p.Version, p.Digest)
	})
	if len(packages) == 0 {
		return Package{}, false
	}
	return slices.MaxFunc(packages, func(a, b Package) int {
		switch {
		case older(a.Version, b.Version):
			return -1
		case older(b.Version, a.Version):
			return 1
		}
		return cmp.Compare(a.Version, b.Version)
	}), true
}
