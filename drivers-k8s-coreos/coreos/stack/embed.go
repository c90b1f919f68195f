// Package stack holds what the drivers have besides the shared Heat templates and
// boot scripts: both what both have, container and fedora what is one's alone.
package stack

import (
	"embed"
	"io/fs"

	"github.com/go-magnum/magnum/sdk/template"
)

//go:embed all:both all:container all:fedora
var files embed.FS

// Container are the files for CoreOS Container Linux.
func Container() fs.FS { return template.Overlay(folder("both"), folder("container")) }

// Fedora are the files for Fedora CoreOS.
func Fedora() fs.FS { return template.Overlay(folder("both"), folder("fedora")) }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the names are constants and valid
	}
	return sub
}
