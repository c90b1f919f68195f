package template

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Definition is a driver as data. It implements driver.Driver and
// driver.Templates. It must not be changed once it is served.
type Definition struct {
	Name        string // as in driver.Description
	DisplayName string
	Version     string
	Maturity    driver.Maturity
	Types       []driver.ClusterType

	// NetworkDrivers lists what a cluster template may name, the default
	// first; VolumeDrivers likewise, where none is always allowed.
	NetworkDrivers []string
	VolumeDrivers  []string

	Capabilities     []driver.Capability
	Limits           driver.Limits
	ContainerVersion string
	UpgradeLabels    []string // as in driver.Description
	TrustFor         []string // as in driver.Description

	Labels       []Label
	Parameters   []Parameter
	Outputs      []Output
	Environments []Environment
	// Scripts are ordered fragments by the name under which a file of Files
	// asks for them with the function fragments.
	Scripts map[string][]Fragment

	// Files holds the templates; Main names the main one, as Heat gets it.
	Files fs.FS
	Main  string
	// NodeGroupMain names the main template of the stack that a node group
	// beyond the default ones has for itself. A driver that has
	// driver.CapNodeGroups needs one.
	NodeGroupMain string

	// Checks look at what the label types and the required parameters
	// cannot say.
	Checks []func(*Values) []driver.Violation
	// Cleanups says what the cluster may have made by itself.
	Cleanups func(driver.Cluster) []driver.Cleanup
}

// Stack is one of the two kinds of stack a definition can have.
type Stack string

// The stacks.
const (
	// ClusterStack is the cluster's own, of the template Main. The default
	// node groups are in it.
	ClusterStack Stack = "cluster"
	// NodeGroupStack is that of one more group of workers, of the template
	// NodeGroupMain. Its nodes join what the cluster's stack has made, which
	// they know from its outputs; see ClusterOutput.
	NodeGroupStack Stack = "nodegroup"
)

// holds reports whether something that is in one stack, or with "" in both, is
// in the stack of the request.
func (s Stack) holds(v *Values) bool { return s == "" || s == v.stack() }

// Condition decides from a request; nil is always.
type Condition func(*Values) bool

func (c Condition) holds(v *Values) bool { return c == nil || c(v) }

// Environment is a Heat environment file that goes along when its condition
// holds. Later ones win.
type Environment struct {
	File string
	When Condition
}

// Fragment is one step of a boot script.
type Fragment struct {
	// Name orders nothing by itself but is what a user reads when the step
	// fails; number it.
	Name string
	// File is its text in Files, as Heat would get it (without .tmpl).
	File string
	When Condition
}

// If is the fragment under a further condition.
func (f Fragment) If(c Condition) Fragment {
	also := f.When
	f.When = func(v *Values) bool { return c.holds(v) && also.holds(v) }
	return f
}

// Describe says what the definition says.
func (d *Definition) Describe(_ context.Context, _ driver.DescribeRequest) (driver.DescribeResponse, error) {
	schema, err := labelSchema(d.Labels)
	if err != nil {
		return driver.DescribeResponse{}, fmt.Errorf("label schema of %s: %w", d.Name, err)
	}
	types, err := d.resourceTypes()
	if err != nil {
		return driver.DescribeResponse{}, fmt.Errorf("resource types of %s: %w", d.Name, err)
	}
	return driver.DescribeResponse{Description: driver.Description{
		Name:             d.Name,
		DisplayName:      d.DisplayName,
		Version:          d.Version,
		Maturity:         d.Maturity,
		ClusterTypes:     d.Types,
		LabelSchema:      schema,
		NetworkDrivers:   d.NetworkDrivers,
		VolumeDrivers:    d.VolumeDrivers,
		Capabilities:     d.Capabilities,
		Limits:           d.Limits,
		ResourceTypes:    types,
		TemplatePath:     d.Main,
		ContainerVersion: d.ContainerVersion,
		UpgradeLabels:    d.UpgradeLabels,
		TrustFor:         d.TrustFor,
	}}, nil
}

// PreDelete passes on what Cleanups says.
func (d *Definition) PreDelete(_ context.Context, req driver.PreDeleteRequest) (driver.PreDeleteResponse, error) {
	if d.Cleanups == nil {
		return driver.PreDeleteResponse{}, nil
	}
	return driver.PreDeleteResponse{Cleanups: d.Cleanups(req.Cluster)}, nil
}

var (
	_ driver.Driver    = (*Definition)(nil)
	_ driver.Templates = (*Definition)(nil)
)
