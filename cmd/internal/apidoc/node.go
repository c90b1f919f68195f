package main

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a part of the document. Its members keep their order. What is not
// there is a node, too, and has nothing.
type node struct{ *yaml.Node }

func (n node) exists() bool { return n.Node != nil }

// get goes down by names.
func (n node) get(names ...string) node {
	for _, name := range names {
		next := node{}
		n.each(func(key string, value node) {
			if key == name {
				next = value
			}
		})
		n = next
	}
	return n
}

// each calls do for every member.
func (n node) each(do func(key string, value node)) {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		do(n.Content[i].Value, node{n.Content[i+1]})
	}
}

func (n node) items() []node {
	if n.Node == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	all := make([]node, len(n.Content))
	for i := range n.Content {
		all[i] = node{n.Content[i]}
	}
	return all
}

// text is a value, or nothing.
func (n node) text(names ...string) string {
	if v := n.get(names...); v.exists() && v.Kind == yaml.ScalarNode {
		return strings.TrimSpace(v.Value)
	}
	return ""
}

// texts are the values of a list, or a single value.
func (n node) texts(name string) []string {
	v := n.get(name)
	if s := v.text(); s != "" {
		return []string{s}
	}
	var all []string
	for _, item := range v.items() {
		all = append(all, item.Value)
	}
	return all
}

// isMap says whether a node has members, be it none.
func (n node) isMap() bool { return n.Node != nil && n.Kind == yaml.MappingNode }
