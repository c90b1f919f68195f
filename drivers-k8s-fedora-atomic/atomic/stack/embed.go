// Package stack holds the Heat templates of the driver, and what it has besides
// the shared boot scripts.
package stack

import "embed"

// Files are the main templates, of the cluster (main) and of a further node
// group (nodegroup), those of one node each, and below boot steps of their scripts.
//
//go:embed *.tmpl boot
var Files embed.FS
