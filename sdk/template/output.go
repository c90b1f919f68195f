package template

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Target is what an output feeds.
type Target string

// The targets.
const (
	ToAPIAddress       Target = "cluster.api_address"
	ToCOEVersion       Target = "cluster.coe_version"
	ToContainerVersion Target = "cluster.container_version"
	ToDiscoveryURL     Target = "cluster.discovery_url"
	ToMasterAddresses  Target = "masters.node_addresses"
	ToMasterCount      Target = "masters.node_count"
	// These two are of the worker group whose nodes the stack makes: the
	// default one, or the group with a stack of its own.
	ToWorkerAddresses Target = "workers.node_addresses"
	ToWorkerCount     Target = "workers.node_count"
)

func targets() []Target {
	return []Target{
		ToAPIAddress, ToCOEVersion, ToContainerVersion, ToDiscoveryURL,
		ToMasterAddresses, ToMasterCount, ToWorkerAddresses, ToWorkerCount,
	}
}

// in reports whether a stack can say anything about the target: that of a node
// group says nothing about the cluster or its masters.
func (t Target) in(s Stack) bool {
	return s == ClusterStack || t == ToWorkerAddresses || t == ToWorkerCount
}

// Output feeds a field of the cluster or of a node group from a stack output, a
// stack parameter, or a constant; give one of the three. An output that the
// stack does not have leaves the field alone. Those whose target is the workers'
// are read from the stacks of node groups too, so both templates call them the
// same.
type Output struct {
	Stack     string // name of the stack's output
	Parameter string // name of a parameter of the main template
	Const     string
	To        Target
	When      Condition
	// Format changes a text on its way; nil leaves it.
	Format func(*Values, string) string
}

// MapOutputs turns what a stack says into patches.
func (d *Definition) MapOutputs(_ context.Context, req driver.MapOutputsRequest) (driver.MapOutputsResponse, error) {
	v := d.Values(driver.RenderRequest{
		Template: req.Template, Cluster: req.Cluster, NodeGroups: req.NodeGroups, NodeGroup: req.NodeGroup,
	})
	if bad := unknownGroup(v); bad != nil {
		return driver.MapOutputsResponse{}, driver.Errorf(bad.Class, "%s", bad.Message)
	}
	var out driver.MapOutputsResponse
	masters := driver.NodeGroupPatch{Name: v.Masters().Name}
	workers := driver.NodeGroupPatch{Name: v.Workers().Name}
	for _, o := range d.Outputs {
		if !o.To.in(v.stack()) || !o.When.holds(v) {
			continue
		}
		raw, ok := o.read(req)
		if !ok {
			continue
		}
		if err := o.apply(v, raw, &out.Cluster, &masters, &workers); err != nil {
			return driver.MapOutputsResponse{}, driver.Errorf(driver.ClassPrecondition, "The stack's %s: %v", o.source(), err)
		}
	}
	for _, g := range []driver.NodeGroupPatch{masters, workers} {
		if g.Name != "" && (g.NodeAddresses != nil || g.NodeCount != nil) {
			out.NodeGroups = append(out.NodeGroups, g)
		}
	}
	return out, v.err()
}

func (o Output) source() string {
	switch {
	case o.Stack != "":
		return "output " + o.Stack
	case o.Parameter != "":
		return "parameter " + o.Parameter
	}
	return "constant " + o.Const
}

// read gets the JSON text of what feeds the output; null counts as absent,
// because that is what Heat says of an output it cannot resolve yet.
func (o Output) read(req driver.MapOutputsRequest) (driver.RawJSON, bool) {
	switch {
	case o.Stack != "":
		raw := bytes.TrimSpace(req.Outputs[o.Stack])
		return raw, len(raw) > 0 && string(raw) != "null"
	case o.Parameter != "":
		s, ok := req.Parameters[o.Parameter]
		return driver.RawJSON(JSON(s)), ok && s != ""
	}
	return driver.RawJSON(JSON(o.Const)), o.Const != ""
}

func (o Output) apply(v *Values, raw driver.RawJSON, c *driver.ClusterPatch, masters, workers *driver.NodeGroupPatch) error {
	switch o.To {
	case ToMasterAddresses, ToWorkerAddresses:
		list, err := addresses(raw)
		if err != nil {
			return err
		}
		if o.To == ToMasterAddresses {
			masters.NodeAddresses = list
		} else {
			workers.NodeAddresses = list
		}
		return nil
	}
	s, err := plainText(raw)
	if err != nil {
		return err
	}
	if o.Format != nil {
		s = o.Format(v, s)
	}
	switch o.To {
	case ToAPIAddress:
		c.APIAddress = &s
	case ToCOEVersion:
		c.COEVersion = &s
	case ToContainerVersion:
		c.ContainerVersion = &s
	case ToDiscoveryURL:
		c.DiscoveryURL = &s
	case ToMasterCount, ToWorkerCount:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is no count", s)
		}
		if o.To == ToMasterCount {
			masters.NodeCount = &n
		} else {
			workers.NodeCount = &n
		}
	}
	return nil
}

// addresses reads a list of texts, or one text. Members that are null or empty
// are left out: a node that is still being made has no address.
func addresses(raw driver.RawJSON) ([]string, error) {
	if !bytes.HasPrefix(raw, []byte("[")) {
		s, err := plainText(raw)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc([]string{s}, func(s string) bool { return s == "" }), nil
	}
	var all []*string
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%.60s is no list of addresses", raw)
	}
	out := []string{}
	for _, one := range all {
		if one != nil && *one != "" {
			out = append(out, *one)
		}
	}
	return out, nil
}

// plainText reads a JSON text or number as text.
func plainText(raw driver.RawJSON) (string, error) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return "", fmt.Errorf("%.60s is no text", raw)
	}
	return n.String(), nil
}
