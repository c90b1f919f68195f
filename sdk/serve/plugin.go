package serve

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"

	"github.com/Masterminds/semver/v3"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Plugin is a driver as an author hands it to [Main]. Name, Version and Driver
// are required, and one of Templates and Lifecycle.
type Plugin struct {
	Name    string
	Version string // semver without a leading v
	Commit  string

	// Driver may also be a [driver.Configurer] and a [driver.Prober].
	Driver     driver.Driver
	Templates  driver.Templates
	Scaling    driver.Scaling
	Monitoring driver.Monitoring
	Lifecycle  driver.Lifecycle

	// LogLevel is used where the host names none; zero is info.
	LogLevel hclog.Level
}

// NamePattern is what a driver's name looks like.
const NamePattern = `^[a-z0-9][a-z0-9_-]{0,62}$`

// check refuses what would only fail later, on an operator's machine.
func (p Plugin) check() error {
	if ok, err := regexp.MatchString(NamePattern, p.Name); err != nil || !ok {
		return fmt.Errorf("serve.Plugin: Name %q must match %s", p.Name, NamePattern)
	}
	if _, err := semver.StrictNewVersion(p.Version); err != nil {
		return fmt.Errorf("serve.Plugin: Version %q of %s must be a semantic version without a leading v", p.Version, p.Name)
	}
	if p.Driver == nil {
		return fmt.Errorf("serve.Plugin: %s has no Driver", p.Name)
	}
	if p.Templates == nil && p.Lifecycle == nil {
		return fmt.Errorf("serve.Plugin: %s has neither Templates nor Lifecycle", p.Name)
	}
	return nil
}

// services lists what this driver has, by full name.
func (p Plugin) services() []string {
	names := []string{driver.ServiceDriver}
	for _, s := range []struct {
		name  string
		there bool
	}{
		{driver.ServiceTemplates, p.Templates != nil},
		{driver.ServiceScaling, p.Scaling != nil},
		{driver.ServiceMonitoring, p.Monitoring != nil},
		{driver.ServiceLifecycle, p.Lifecycle != nil},
	} {
		if s.there {
			names = append(names, s.name)
		}
	}
	return names
}

// describe is the author's description with name, version and services, which
// this package knows; an author who wrote them too must not contradict.
func (p Plugin) describe(ctx context.Context) (driver.Description, error) {
	out, err := p.Driver.Describe(ctx, driver.DescribeRequest{})
	if err != nil {
		return driver.Description{}, err
	}
	d := out.Description
	if d.Name != "" && d.Name != p.Name {
		return d, fmt.Errorf("the description is of driver %q, but the plugin's name is %q", d.Name, p.Name)
	}
	if d.Version != "" && d.Version != p.Version {
		return d, fmt.Errorf("the description is of version %q, but the plugin's is %q", d.Version, p.Version)
	}
	if len(d.Services) != 0 && !sameSet(d.Services, p.services()) {
		return d, fmt.Errorf("the description lists services %q, but the plugin has %q", d.Services, p.services())
	}
	if len(d.ClusterTypes) == 0 {
		return d, errors.New("the description has no cluster types: no cluster template could select this driver")
	}
	d.Name, d.Version, d.Services = p.Name, p.Version, p.services()
	if d.Maturity == "" {
		d.Maturity = driver.MaturityStable
	}
	return d, nil
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// sdkModule is the module that this package is in.
const sdkModule = "github.com/go-magnum/magnum/sdk"

// sdkVersion is the version of the SDK that the driver was built with.
func sdkVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == sdkModule && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
}
