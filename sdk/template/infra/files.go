package infra

import (
	"embed"
	"io/fs"
)

//go:embed all:stack
var files embed.FS

// Files are the shared templates, and below boot what the boot scripts of all
// nodes share. A driver's own files go over them; see template.Overlay.
func Files() fs.FS {
	sub, err := fs.Sub(files, "stack")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return sub
}
