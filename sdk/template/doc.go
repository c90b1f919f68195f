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
// Everything is a pure function of the request: the same request gives the
// same bytes, so sprig's random, date, environment and network functions are
// not there.
package template
