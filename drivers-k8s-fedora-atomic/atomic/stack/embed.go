// Package stack holds the Heat templates and the boot scripts of the driver.
package stack

import "embed"

// Files are the templates at the root, and below boot what runs on the nodes.
//
//go:embed *.yaml all:boot
var Files embed.FS
