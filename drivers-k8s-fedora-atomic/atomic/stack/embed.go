// Package stack holds the Heat templates of the driver; its boot scripts are the
// shared ones.
package stack

import "embed"

// Files are the main templates, of the cluster (main) and of a further node
// group (nodegroup), and those of one node each.
//
//go:embed *.tmpl
var Files embed.FS
