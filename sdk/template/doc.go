// Package template makes a driver out of data. An author fills in a
// [Definition] — cluster types, labels, parameters, outputs and an embedded
// folder of Heat templates and boot scripts — and has a driver:
//
//	//go:embed stack
//	var files embed.FS
//
//	func main() {
//		d := &template.Definition{Name: "k8s_example_v1", …}
//		serve.Main(serve.Plugin{Name: d.Name, Version: version, Driver: d, Templates: d})
//	}
//
// A file whose name ends in .tmpl is rendered with text/template and sprig
// before Heat gets it, under its name without the ending; any other file is
// passed on as it is. A file whose name starts with an underscore holds
// definitions for the others and is not passed on.
//
// A driver with driver.CapNodeGroups has a second main template, NodeGroupMain,
// for the stacks of node groups beyond the default ones. Parameters are mapped
// once for both, from the group concerned: template.Workers("FlavorID") is the
// flavor of the default workers in the cluster's stack, and that of the group
// in the group's. What only one of the templates declares says so:
//
//	{Name: "flavor", From: template.Workers("FlavorID"), Required: true},
//	{Name: "masters", In: template.ClusterStack, From: template.Masters("NodeCount")},
//	{Name: "network", In: template.NodeGroupStack, From: template.ClusterOutput("network"), Required: true},
//
// Everything is a pure function of the request: the same request gives the
// same bytes, so sprig's random, date, environment and network functions are
// not there.
package template
