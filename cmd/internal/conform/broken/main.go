// Command broken is a driver that keeps every rule of the contract but the one
// that its environment names: the proof that the conformance suite notices.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
	"github.com/go-magnum/magnum/sdk/template"
)

func main() {
	rule := os.Getenv("BREAK")
	p := whole(rule)
	switch {
	case len(os.Args) == 1:
		os.Exit(run(p, rule))
	case rule == "DRV-002":
		fmt.Println("a driver, version 1")
	default:
		serve.Main(p)
	}
}

//go:embed stack
var embedded embed.FS

func whole(rule string) serve.Plugin {
	files, err := fs.Sub(embedded, "stack")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	d := &broken{rule: rule, Definition: &template.Definition{
		Name: "broken", DisplayName: "Broken", Version: "1.0.0", Maturity: driver.MaturityBeta,
		Types:          []driver.ClusterType{{ServerType: "vm", OS: "fedora", COE: "kubernetes"}},
		NetworkDrivers: []string{"flannel"}, VolumeDrivers: []string{"cinder"},
		Capabilities:  []driver.Capability{driver.CapResize, driver.CapUpgrade},
		UpgradeLabels: []string{"size"},
		Labels:        []template.Label{{Name: "size", Type: template.Integer, Default: "1", Description: "Size.", Minimum: template.Int(1)}},
		Parameters: []template.Parameter{
			{Name: "cluster_uuid", From: template.Cluster("UUID"), Required: true},
			{Name: "size", From: template.LabelOf("size")},
			{Name: "trustee_password", From: template.Secret(driver.SecretTrusteePassword)},
		},
		Outputs: []template.Output{{Stack: "network", To: template.ToAPIAddress}},
		Cleanups: func(c driver.Cluster) []driver.Cleanup {
			return []driver.Cleanup{{Kind: driver.CleanupLoadBalancer, DescriptionPattern: "of " + c.UUID}}
		},
		Files: files, Main: "main.yaml",
	}}
	p := serve.Plugin{Name: d.Name, Version: d.Version, Driver: d, Templates: d, Scaling: d, Monitoring: d}
	if rule != "DRV-008" { // where it is served and not named
		p.Lifecycle = &runs{rule: rule}
	}
	return p
}

type broken struct {
	*template.Definition
	rule string
}

// Describe has what is wrong with the description in both places where it is
// asked for.
func (d *broken) Describe(ctx context.Context, req driver.DescribeRequest) (driver.DescribeResponse, error) {
	out, err := d.Definition.Describe(ctx, req)
	out.Description.ConfigSchema = driver.RawJSON(`{"type": "object", "properties": {"region": {"type": "string"}}}`)
	switch d.rule {
	case "DRV-012":
		out.Description.ConfigSchema = driver.RawJSON(`{"type": "object", "properties": {"region": {"type": "string", "default": 7}}}`)
	case "DRV-013":
		out.Description.Maturity = "ripe"
	case "DRV-014":
		out.Description.Limits = driver.Limits{MinMasters: 3, MaxMasters: 1}
	case "DRV-015":
		out.Description.UpgradeLabels = []string{"kube_tag"}
	case "DRV-040":
		out.Description.ResourceTypes = []string{"OS::Heat::Value"}
	}
	return out, err
}

//nolint:unparam // the interface asks for both results
func (*broken) Configure(_ context.Context, req driver.ConfigureRequest) (driver.ConfigureResponse, error) {
	var config struct {
		Region string `json:"region"`
	}
	if err := json.Unmarshal(req.Config, &config); err != nil {
		return driver.ConfigureResponse{}, driver.Errorf(driver.ClassInvalidInput, "the configuration cannot be read: %v", err)
	}
	return driver.ConfigureResponse{}, nil
}

func (*broken) SelectNodes(_ context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	var out driver.SelectNodesResponse
	for _, n := range req.Nodes[:min(req.Count, len(req.Nodes))] {
		out.Nodes = append(out.Nodes, driver.Selected{HeatIndex: n.HeatIndex, Reason: "first"})
	}
	return out, nil
}

func (*broken) CheckHealth(context.Context, driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	return driver.CheckHealthResponse{Status: driver.HealthUnknown, Reasons: map[string]string{"api": "not asked"}}, nil
}
