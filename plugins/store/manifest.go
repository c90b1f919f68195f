package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

const (
	// APIVersion heads every manifest.
	APIVersion = "drivers.magnum.openstack.org/v1"
	// Kind follows it.
	Kind = "Driver"
)

// Manifest is driver.yaml.
type Manifest struct {
	APIVersion   string        `yaml:"apiVersion"`
	Kind         string        `yaml:"kind"`
	Name         string        `yaml:"name"`
	Version      string        `yaml:"version"`
	Protocol     Protocol      `yaml:"protocol"`
	ClusterTypes []ClusterType `yaml:"cluster_types"`
	Services     []string      `yaml:"services"`
	Asks         Asks          `yaml:",inline"`
}

// Asks is what a driver needs beyond what every driver may have. Its executable
// does not say so; who makes the package does.
type Asks struct {
	Resources launch.Limits  `yaml:"resources,omitempty" json:"resources,omitzero"`
	Sandbox   launch.Sandbox `yaml:"sandbox,omitempty" json:"sandbox,omitzero"`
}

// ParseAsks reads the part of a manifest that a package is made with.
func ParseAsks(text []byte) (Asks, error) {
	var a Asks
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // a misspelt field must not go unseen
	if err := decoder.Decode(&a); err != nil {
		return a, fmt.Errorf("it must have resources or sandbox, and nothing else: %w", err)
	}
	return a, a.check()
}

func (a Asks) check() error {
	if err := a.Resources.Check(); err != nil {
		return fmt.Errorf("resources: %w", err)
	}
	if err := a.Sandbox.Check(); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// String lists it; empty where it is nothing.
func (a Asks) String() string {
	all := slices.DeleteFunc([]string{a.Sandbox.String(), a.Resources.String()}, func(s string) bool { return s == "" })
	return strings.Join(all, ", ")
}

// Protocol is the version of the driver contract that a driver speaks. Its
// minor version is only known to the driver, which says it in the handshake.
type Protocol struct {
	Major int `yaml:"major"`
}

// ClusterType is as of [driver.ClusterType].
type ClusterType struct {
	ServerType string `yaml:"server_type"`
	OS         string `yaml:"os"`
	COE        string `yaml:"coe"`
	Priority   int    `yaml:"priority,omitempty"`
}

func (t ClusterType) String() string {
	return fmt.Sprintf("(%s, %s, %s)", t.ServerType, t.OS, t.COE)
}

// manifestOf is what the manifest of a described driver must say.
func manifestOf(d driver.Description) Manifest {
	m := Manifest{
		APIVersion: APIVersion,
		Kind:       Kind,
		Name:       d.Name,
		Version:    d.Version,
		Protocol:   Protocol{Major: driver.ProtocolMajor},
		Services:   d.Services,
	}
	for _, t := range d.ClusterTypes {
		m.ClusterTypes = append(m.ClusterTypes, ClusterType(t))
	}
	return m
}

func parseManifest(text []byte) (Manifest, error) {
	var m Manifest
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true) // a misspelt field must not go unseen
	if err := decoder.Decode(&m); err != nil {
		return m, refuse(ErrNotPackage, "%s is not a driver manifest: %w", manifestFile, err)
	}
	if m.APIVersion != APIVersion || m.Kind != Kind {
		return m, refuse(ErrManifestVersion, "%s is of apiVersion %q and kind %q, but must be of %q and %q",
			manifestFile, m.APIVersion, m.Kind, APIVersion, Kind)
	}
	if err := checkName(m.Name); err != nil {
		return m, fmt.Errorf("%s: %w", manifestFile, err)
	}
	if err := checkVersion(m.Version); err != nil {
		return m, fmt.Errorf("%s: %w", manifestFile, err)
	}
	if m.Protocol.Major != driver.ProtocolMajor {
		return m, refuse(ErrManifestVersion, "driver %s %s speaks version %d of the driver contract, but this Magnum speaks %d: "+
			"install a build of it for this Magnum", m.Name, m.Version, m.Protocol.Major, driver.ProtocolMajor)
	}
	if len(m.ClusterTypes) == 0 {
		return m, fmt.Errorf("%s lists no cluster_types", manifestFile)
	}
	if err := m.Asks.check(); err != nil {
		return m, refuse(ErrNotPackage, "%s: %w", manifestFile, err)
	}
	return m, nil
}

// agrees proves that a manifest and a description speak of the same driver.
func (m Manifest) agrees(d driver.Description) error {
	want := manifestOf(d)
	want.Protocol = m.Protocol // a description has none; the handshake proves it
	differ := func(field string, manifest, description any) error {
		return refuse(ErrMismatch, "%s and %s disagree on %s: %v against %v: build the package again",
			manifestFile, describeFile, field, manifest, description)
	}
	switch {
	case m.Name != want.Name:
		return differ("the name", m.Name, want.Name)
	case m.Version != want.Version:
		return differ("the version", m.Version, want.Version)
	case !slices.Equal(m.ClusterTypes, want.ClusterTypes):
		return differ("the cluster types", m.ClusterTypes, want.ClusterTypes)
	case !slices.Equal(m.Services, want.Services):
		return differ("the services", m.Services, want.Services)
	}
	return nil
}

func parseDescription(text []byte) (driver.Description, error) {
	var d driver.Description
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("it is not a driver's description: %w", err)
	}
	return d, nil
}

// sameJSON compares texts by their content, not their layout.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

func checkName(name string) error {
	if ok, err := regexp.MatchString(serve.NamePattern, name); err != nil || !ok {
		return fmt.Errorf("%q is not a driver's name: it must match %s", name, serve.NamePattern)
	}
	return nil
}

func checkVersion(version string) error {
	if _, err := semver.StrictNewVersion(version); err != nil {
		return fmt.Errorf("%q is not a version: it must be semantic, such as 1.2.3", version)
	}
	return nil
}

// older compares versions that were checked before.
func older(version, than string) bool {
	a, errA := semver.StrictNewVersion(version)
	b, errB := semver.StrictNewVersion(than)
	return errA == nil && errB == nil && a.LessThan(b)
}
