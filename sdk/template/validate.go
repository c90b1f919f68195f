package template

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Validate reports what stands against a request: a capability that the driver
// lacks, a network or volume driver it does not know, labels that are not of
// their type, parameters that nothing fills, and what the Checks say. Labels
// that are not declared are ignored. Of a request about a node group with a
// stack of its own, the labels looked at are the group's: those of the whole
// cluster cannot differ in a new group.
func (d *Definition) Validate(_ context.Context, req driver.ValidateRequest) (driver.ValidateResponse, error) {
	v := d.Values(driver.RenderRequest{
		Intent: req.Intent, Template: req.Template, Cluster: req.Cluster, NodeGroups: req.NodeGroups,
		NodeGroup: req.NodeGroup,
	})
	if bad := unknownGroup(v); bad != nil {
		return driver.ValidateResponse{Violations: []driver.Violation{*bad}}, nil
	}
	var out []driver.Violation
	if bad := d.refuse(v); bad != nil {
		out = append(out, *bad)
	}
	out = append(out, choice("network_driver", "Network", req.Template.NetworkDriver, d.NetworkDrivers)...)
	out = append(out, choice("volume_driver", "Volume", req.Template.VolumeDriver, d.VolumeDrivers)...)
	out = append(out, d.labelViolations(v)...)
	for _, p := range d.Parameters {
		if !p.Required || !p.From.early || !p.In.holds(v) || !p.When.holds(v) {
			continue
		}
		if _, ok := p.read(v); !ok {
			out = append(out, driver.Violation{Field: p.Name, Message: missing(p.Name), Class: driver.ClassInvalidInput})
		}
	}
	for _, check := range d.Checks {
		out = append(out, check(v)...)
	}
	return driver.ValidateResponse{Violations: out}, v.err()
}

// choice checks a driver name of the template in upstream's words.
func choice(field, kind, given string, supported []string) []driver.Violation {
	if given == "" || slices.Contains(supported, given) {
		return nil
	}
	return []driver.Violation{{
		Field: field,
		Message: kind + " driver type " + given + " is not supported, expecting a " +
			strings.Join(append(slices.Clone(supported), "unspecified"), "/") + " " + strings.ToLower(kind) + " driver.",
		Class: driver.ClassInvalidInput,
	}}
}

// labelViolations looks at the labels of the cluster, or of the node group.
func (d *Definition) labelViolations(v *Values) []driver.Violation {
	var out []driver.Violation
	given := v.Cluster.Labels
	if v.OwnStack() {
		given = v.Group().Labels
	}
	for _, l := range d.Labels {
		value := given[l.Name]
		if value == "" {
			continue
		}
		problem := l.check(value)
		// Only then: the cluster's own may have moved on since.
		if problem == "" && v.OwnStack() && !l.PerNodeGroup && v.Intent == driver.IntentCreateNodeGroup && l.canonical(value) != v.Label(l.Name) {
			problem = fmt.Sprintf("property %q with value %q is not supported, the label is one of the whole cluster, where it is %q",
				"labels/"+l.Name, value, v.Label(l.Name))
		}
		if problem != "" {
			out = append(out, driver.Violation{Field: "labels/" + l.Name, Message: problem, Class: driver.ClassInvalidInput})
		}
	}
	return out
}

// refuse says why a request is beyond the driver, nil if it is not.
func (d *Definition) refuse(v *Values) *driver.Violation {
	if bad := unknownGroup(v); bad != nil {
		return bad
	}
	unsupported := func(what string) *driver.Violation {
		return &driver.Violation{Message: what + " not supported by the cluster driver " + d.Name + ".", Class: driver.ClassUnsupported}
	}
	need := map[driver.Intent]driver.Capability{
		driver.IntentResize:           driver.CapResize,
		driver.IntentUpgrade:          driver.CapUpgrade,
		driver.IntentRotateCA:         driver.CapRotateCA,
		driver.IntentRotateCredential: driver.CapRotateCredential,
		driver.IntentCreateNodeGroup:  driver.CapNodeGroups,
		driver.IntentUpdateNodeGroup:  driver.CapNodeGroups,
		driver.IntentDeleteNodeGroup:  driver.CapNodeGroups,
	}[v.Intent]
	switch {
	case !known(v.Intent):
		return unsupported("Operation " + string(v.Intent) + " is")
	case need != "" && !slices.Contains(d.Capabilities, need):
		return unsupported("Operation " + string(v.Intent) + " is")
	case v.OwnStack() && !slices.Contains(d.Capabilities, driver.CapNodeGroups):
		return unsupported("Node groups beyond the default ones are")
	case v.NodeGroup != "" && len(v.Group().NodeLabels)+len(v.Group().NodeTaints) > 0 && !slices.Contains(d.Capabilities, driver.CapNodeLabels):
		return unsupported("Labels and taints of nodes are")
	case v.Intent == driver.IntentCreateNodeGroup && !v.OwnStack():
		return &driver.Violation{Field: "name", Message: "The default node groups are made with the cluster.", Class: driver.ClassInvalidInput}
	}
	return nil
}

// known reports whether an intent is one of the contract's for stacks, or none.
// An answer to another, of a newer core, would be a guess.
func known(i driver.Intent) bool {
	switch i {
	case "", driver.IntentCreate, driver.IntentUpdate, driver.IntentResize, driver.IntentUpgrade, driver.IntentRotateCA,
		driver.IntentRotateCredential, driver.IntentCreateNodeGroup, driver.IntentUpdateNodeGroup, driver.IntentDeleteNodeGroup:
		return true
	}
	return false
}

// unknownGroup refuses a request about a node group that the cluster has not.
func unknownGroup(v *Values) *driver.Violation {
	if v.NodeGroup == "" || v.Group().Name != "" {
		return nil
	}
	return &driver.Violation{Message: "Nodegroup " + v.NodeGroup + " could not be found.", Class: driver.ClassInvalidInput}
}
