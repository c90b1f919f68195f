// Package stack holds the Heat templates and the boot scripts of the driver.
package stack

import "embed"

// Files are the templates at the root, of the cluster (main) and of a further
// node group (nodegroup), and below boot what runs on the nodes.
//
//go:embed *.tmpl all:boot
var Files embed.FS
