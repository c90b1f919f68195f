// Package infra is what the clusters of every driver stand on, written once:
// network, ports, floating IPs, load balancers, volumes, servers and the wait
// for them. [Files] are its Heat templates and boot scripts, under which a
// driver lays its own; the functions of this package feed the parameters that
// they declare, and check what they cannot do. A driver puts together what it
// needs:
//
//	d := &template.Definition{
//		Labels:     slices.Concat(infra.Labels(), own),
//		Parameters: slices.Concat(infra.Cloud(), infra.Workers("node"), …),
//		Files:      template.Overlay(infra.Files(), own),
//		Checks:     []func(*template.Values) []driver.Violation{infra.GivenNetwork, infra.NodeCounts},
//		…
//	}
//
// docs/drivers/shared.md shows which definition of the templates goes with
// which function.
package infra
