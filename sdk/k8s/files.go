package k8s

import (
	"embed"
	"io/fs"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

//go:embed all:stack
var files embed.FS

// Files are the templates and boot scripts that Kubernetes clusters share, over
// those of package infra. A driver's own files go over them.
func Files() fs.FS {
	own, err := fs.Sub(files, "stack")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return template.Overlay(infra.Files(), own)
}
