package template

import (
	"context"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Validate reports what stands against a request: a capability that the driver
// lacks, a network or volume driver it does not know, labels that are not of
// their type, parameters that nothing fills, and what the Checks say. Labels
// that are not declared are ignored.
func (d *Definition) Validate(_ context.Context, req driver.ValidateRequest) (driver.ValidateResponse, error) {
	v := d.Values(driver.RenderRequest{
		Intent: req.Intent, Template: req.Template, Cluster: req.Cluster, NodeGroups: req.NodeGroups,
	})
	var out []driver.Violation
	if bad := d.unsupported(req.Intent); bad != "" {
		out = append(out, driver.Violation{Message: bad, Class: driver.ClassUnsupported})
	}
	out = append(out, choice("network_driver", "Network", req.Template.NetworkDriver, d.NetworkDrivers)...)
	out = append(out, choice("volume_driver", "Volume", req.Template.VolumeDriver, d.VolumeDrivers)...)
	for _, l := range d.Labels {
		value := req.Cluster.Labels[l.Name]
		if value == "" {
			continue
		}
		if problem := l.check(value); problem != "" {
			out = append(out, driver.Violation{Field: "labels/" + l.Name, Message: problem, Class: driver.ClassInvalidInput})
		}
	}
	for _, p := range d.Parameters {
		if !p.Required || !p.From.early || !p.When.holds(v) {
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

// unsupported says why an intent is beyond the driver, "" if it is not.
func (d *Definition) unsupported(intent driver.Intent) string {
	var need driver.Capability
	switch intent {
	case driver.IntentResize:
		need = driver.CapResize
	case driver.IntentUpgrade:
		need = driver.CapUpgrade
	case driver.IntentRotateCA:
		need = driver.CapRotateCA
	case driver.IntentCreateNodeGroup, driver.IntentUpdateNodeGroup, driver.IntentDeleteNodeGroup:
		need = driver.CapNodeGroups
	default:
		return ""
	}
	if slices.Contains(d.Capabilities, need) {
		return ""
	}
	return "Operation " + string(intent) + " is not supported by the cluster driver " + d.Name + "."
}
