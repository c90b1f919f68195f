// Package stack holds the Heat templates of the driver, and what its nodes do at
// their first boot besides the shared steps.
package stack

import "embed"

// Files are the main template, those of one node each, and below boot the steps.
//
//go:embed *.tmpl boot
var Files embed.FS
