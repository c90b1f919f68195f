// Apidoc turns docs/api/openapi.yaml into a page to read,
// docs/api/reference.md. It knows as much of OpenAPI as that document uses.
package main

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

const source, target = "docs/api/openapi.yaml", "docs/api/reference.md"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(source)
	if err != nil {
		return fmt.Errorf("read the API's description: %w", err)
	}
	page, err := render(text)
	if err != nil {
		return err
	}
	if err := os.WriteFile(target, page, 0o644); err != nil {
		return fmt.Errorf("write the API's reference: %w", err)
	}
	return nil
}

func render(text []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("read the API's description: %w", err)
	}
	if len(root.Content) != 1 {
		return nil, fmt.Errorf("the API's description is empty")
	}
	p := page{root: node{root.Content[0]}}
	p.write()
	return p.out.Bytes(), nil
}
