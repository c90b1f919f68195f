// Package stack holds what the drivers have besides the shared Heat templates and
// boot scripts, a folder for each.
package stack

import (
	"embed"
	"io/fs"
)

//go:embed all:container all:fedora
var files embed.FS

// Container are the files for CoreOS Container Linux.
func Container() fs.FS { return folder("container") }

// Fedora are the files for Fedora CoreOS.
func Fedora() fs.FS { return folder("fedora") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // the names are constants and valid
	}
	return sub
}
