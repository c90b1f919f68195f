package template

import "text/template"

// Functions are those of template files.
func Functions() template.FuncMap { return functions(&renderer{}) }
