// Package apitest holds requests and answers to docs/api/openapi.yaml. Only
// tests import it.
//
// kin-openapi loads the document, checks that it is sound OpenAPI 3.1, and
// finds the operation of a request. The schemas are compiled by
// santhosh-tekuri/jsonschema, on which kin-openapi's own support of 3.1
// stands, but which it uses in a way that is too weak here: as of 0.153 it
// compiles a schema anew for every body, and goes back to its validator for
// 3.0, which is laxer, where a schema has references or does not compile.
package apitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Newest is the minor number of the newest version that the document has.
const Newest = 14

// Document is the description of the API at all versions.
type Document struct {
	root     map[string]any
	router   routers.Router // for the paths of all versions
	mu       sync.Mutex
	editions map[int]*edition
}

// Operation is a method of a path.
type Operation struct {
	Method, Path string
	Rule         string // of the policy; empty for what needs no token
	Min, Max     int    // minor numbers of the versions that have it
}

// Load reads docs/api/openapi.yaml from the folder above the working
// directory that has it.
func Load() (*Document, error) {
	folder, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the API's description: %w", err)
	}
	for {
		text, err := os.ReadFile(filepath.Join(folder, "docs", "api", "openapi.yaml"))
		if err == nil {
			return Parse(text)
		}
		if parent := filepath.Dir(folder); errors.Is(err, os.ErrNotExist) && parent != folder {
			folder = parent
			continue
		}
		return nil, fmt.Errorf("find the API's description: %w", err)
	}
}

// Parse reads a document and checks it as a whole.
func Parse(text []byte) (*Document, error) {
	var root map[string]any
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("read the API's description: %w", err)
	}
	loaded, err := load(root)
	if err != nil {
		return nil, err
	}
	if !loaded.IsOpenAPI31OrLater() {
		return nil, fmt.Errorf("the API's description is of OpenAPI %s, want 3.1", loaded.OpenAPI)
	}
	if err := loaded.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("check the API's description: %w", err)
	}
	router, err := gorillamux.NewRouter(loaded)
	if err != nil {
		return nil, fmt.Errorf("find paths of the API's description: %w", err)
	}
	d := &Document{root: root, router: router, editions: map[int]*edition{}}
	if _, err := d.Operations(); err != nil {
		return nil, fmt.Errorf("check the API's description: %w", err)
	}
	return d, nil
}

func load(root map[string]any) (*openapi3.T, error) {
	text, err := json.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("read the API's description: %w", err)
	}
	loaded, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("load the API's description: %w", err)
	}
	return loaded, nil
}

var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

// Operations lists all operations, by path and method.
func (d *Document) Operations() ([]Operation, error) {
	var all []Operation
	paths, _ := d.root["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item, _ := paths[path].(map[string]any)
		for _, method := range methods {
			op, ok := item[method].(map[string]any)
			if !ok {
				continue
			}
			low, high, err := rangeOf(op)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			rule, _ := op["x-policy-rule"].(string)
			all = append(all, Operation{strings.ToUpper(method), path, rule, low, high})
		}
	}
	return all, nil
}

// rangeOf reads x-min-version and x-max-version.
func rangeOf(node map[string]any) (low, high int, err error) {
	low, high = 1, Newest
	for key, to := range map[string]*int{"x-min-version": &low, "x-max-version": &high} {
		v, ok := node[key]
		if !ok {
			continue
		}
		text, _ := v.(string)
		minor, found := strings.CutPrefix(text, "1.")
		n, err := strconv.Atoi(minor)
		if !found || err != nil || n < 1 || n > Newest {
			return 0, 0, fmt.Errorf("%s is %v, want a text such as '1.7'", key, v)
		}
		*to = n
	}
	return low, high, nil
}

// edition is the document as it is at one version.
type edition struct {
	root     map[string]any
	router   routers.Router
	compiler *jsonschema.Compiler
	mu       sync.Mutex
	schemas  map[string]*jsonschema.Schema
}

const resource = "openapi.json"

func (d *Document) at(minor int) (*edition, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.editions[minor]; e != nil {
		return e, nil
	}
	pruned, err := d.prune(d.root, minor)
	if err != nil {
		return nil, err
	}
	root, _ := pruned.(map[string]any)
	e := &edition{root: root, router: d.router, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	e.compiler.DefaultDraft(jsonschema.Draft2020)
	e.compiler.AssertFormat()
	if err := e.compiler.AddResource(resource, root); err != nil {
		return nil, fmt.Errorf("read the schemas of the API's description: %w", err)
	}
	d.editions[minor] = e
	return e, nil
}

// prune copies a part of the document without what the version lacks.
func (d *Document) prune(node any, minor int) (any, error) {
	switch node := node.(type) {
	case []any:
		kept := make([]any, 0, len(node))
		for _, item := range node {
			has, err := d.has(item, minor)
			if err != nil {
				return nil, err
			}
			if !has {
				continue
			}
			pruned, err := d.prune(item, minor)
			if err != nil {
				return nil, err
			}
			kept = append(kept, pruned)
		}
		return kept, nil
	case map[string]any:
		kept := make(map[string]any, len(node))
		for name, item := range node {
			has, err := d.has(item, minor)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if !has {
				continue
			}
			if kept[name], err = d.prune(item, minor); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		properties, _ := kept["properties"].(map[string]any)
		if required, ok := kept["required"].([]any); ok && properties != nil {
			kept["required"] = slices.DeleteFunc(required, func(name any) bool { return properties[name.(string)] == nil })
		}
		return kept, nil
	}
	return node, nil
}

// has says whether a version has a part, or what it refers to.
func (d *Document) has(item any, minor int) (bool, error) {
	node, ok := item.(map[string]any)
	if !ok {
		return true, nil
	}
	low, high, err := rangeOf(node)
	if err != nil || minor < low || minor > high {
		return false, err
	}
	if ref, ok := node["$ref"].(string); ok {
		target, _ := find(d.root, ref)
		if low, high, err = rangeOf(target); err != nil || minor < low || minor > high {
			return false, err
		}
	}
	return true, nil
}

// JSON pointers spell two characters in their own way.
var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// find follows a reference within a document.
func find(root map[string]any, ref string) (map[string]any, string) {
	pointer := strings.TrimPrefix(ref, "#")
	node := root
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		node, _ = node[unescape.Replace(name)].(map[string]any)
	}
	return node, pointer
}

// part is a place in an edition.
type part struct {
	node    map[string]any
	pointer string
}

func (e *edition) part(names ...string) part { return e.step(part{e.root, ""}, names...) }

// step goes down by names and follows references. The node is nil where there
// is nothing.
func (e *edition) step(p part, names ...string) part {
	for _, name := range names {
		p.node, _ = p.node[name].(map[string]any)
		p.pointer += "/" + escape.Replace(name)
		if ref, ok := p.node["$ref"].(string); ok && name != "schema" {
			p.node, p.pointer = find(e.root, ref)
		}
	}
	return p
}

// validate holds a value to the schema below a part.
func (e *edition) validate(p part, v any) error {
	e.mu.Lock()
	schema := e.schemas[p.pointer]
	if schema == nil {
		var err error
		if schema, err = e.compiler.Compile(resource + (&url.URL{Fragment: p.pointer}).String()); err != nil {
			e.mu.Unlock()
			return fmt.Errorf("compile the schema at %s: %w", p.pointer, err)
		}
		e.schemas[p.pointer] = schema
	}
	e.mu.Unlock()
	return schema.Validate(v)
}

// operation finds what the document says of a method of a path, and of the
// path as a whole.
func (e *edition) operation(method, path string) (op, item part, found bool) {
	route, _, err := e.router.FindRoute(&http.Request{Method: method, URL: &url.URL{Path: path}, Host: "localhost"})
	if err != nil {
		return part{}, part{}, false
	}
	item = e.part("paths", route.Path)
	op = e.step(item, strings.ToLower(method))
	return op, item, op.node != nil
}
