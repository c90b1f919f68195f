// Package stack holds the Heat templates of the driver, and what its nodes do at
// their first boot besides the shared steps.
package stack

import "embed"

// Files are the main templates, and below boot the steps and services.
//
//go:embed *.tmpl boot
var Files embed.FS
