package devcloud

import (
	"encoding/base32"
	"io"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/hot"
)

// nest makes the stack inside a resource and begins to create it.
func (h *heat) nest(r *heatResource) {
	if strings.Count(r.physical, "-") == 0 {
		r.physical = h.physicalName(r)
	}
	child := h.newStack(r.physical, r.stack.project, r.stack.owner, r)
	child.disableRollback = true
	spec, f := h.childSpec(r, child)
	if f != nil {
		delete(h.stacks, child.id)
		h.failResource(r, actionCreate, f)
		return
	}
	r.child, r.physical = child, child.id
	h.begin(child, actionCreate, spec)
	h.poll(r)
}

// renest begins to update the stack inside a resource.
func (h *heat) renest(r *heatResource) {
	spec, f := h.childSpec(r, r.child)
	if f != nil {
		h.failResource(r, actionUpdate, f)
		return
	}
	h.begin(r.child, actionUpdate, spec)
	h.poll(r)
}

// childSpec works out what the stack inside a resource is to become. Heat
// validates it here, not before: until now some values were not known.
func (h *heat) childSpec(r *heatResource, child *heatStack) (*stackSpec, *failure) {
	invalid := func(err error) *failure {
		return &failure{message: strings.ReplaceAll(err.Error(), ": : ", ": ")}
	}
	outer := r.stack.spec.hot
	var inner *hot.Stack
	var given map[string]any
	var err error
	if r.kind == hot.ResourceGroup {
		inner, err = h.groupStack(r, outer)
	} else {
		given = r.props
		inner, err = outer.Child(r.kind)
	}
	if err != nil {
		return nil, invalid(err)
	}
	pseudo := h.pseudo(child)
	if err := inner.Validate(given, pseudo); err != nil {
		return nil, invalid(err)
	}
	scope, err := inner.Scope(given, pseudo)
	if err != nil {
		return nil, invalid(err)
	}
	if n := h.countResources(r.stack.root) + len(inner.Template.ResourceNames()); n > hot.MaxResources {
		return nil, &failure{class: hot.KindLimit, message: "Request limit exceeded: Maximum resources per stack exceeded."}
	}
	return &stackSpec{hot: inner, given: given, scope: scope}, nil
}

func (h *heat) pseudo(s *heatStack) hot.Pseudo {
	return hot.Pseudo{StackID: s.id, StackName: s.name, ProjectID: s.project, Region: "RegionOne"}
}

func (h *heat) countResources(s *heatStack) int {
	n := 0
	for _, r := range s.resources {
		n++
		if r.child != nil {
			n += h.countResources(r.child)
		}
	}
	return n
}

// groupStack is the stack of a group's members. Members that were removed by
// name or by id never come back, unless the policy's mode says to forget them.
func (h *heat) groupStack(r *heatResource, outer *hot.Stack) (*hot.Stack, error) {
	g := hot.NewGroup(r.props)
	removed := map[string]bool{}
	if !g.Replace {
		for name := range r.removed {
			removed[name] = true
		}
	}
	for _, n := range g.Remove {
		if name, ok := h.member(r, n); ok {
			removed[name] = true
		}
	}
	names, err := g.Names(removed)
	if err != nil {
		return nil, err
	}
	r.removed = removed
	return g.Stack(outer, names)
}

// member finds which of a group's members a removal policy means.
func (h *heat) member(r *heatResource, wanted string) (string, bool) {
	if r.child == nil || r.removed[wanted] || r.child.resources[wanted] != nil {
		return wanted, true
	}
	for _, name := range sortedNames(r.child.resources) {
		if h.reference(r.child.resources[name]) == wanted {
			return name, true
		}
	}
	return "", false
}

// physicalName is how Heat names what a template leaves unnamed.
func (h *heat) physicalName(r *heatResource) string {
	return r.stack.name + "-" + r.name + "-" + h.suffix()
}

var lowerBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// suffix is twelve random letters and digits.
func (h *heat) suffix() string {
	raw := make([]byte, 8)
	if _, err := io.ReadFull(h.config.rand, raw); err != nil {
		return strings.ReplaceAll(h.config.newUUID(), "-", "")[:12]
	}
	return strings.ToLower(lowerBase32.EncodeToString(raw))[:12]
}

// walk visits a stack and those below it, outermost first.
func (s *heatStack) walk(depth int, visit func(*heatStack)) {
	visit(s)
	if depth <= 0 {
		return
	}
	for _, r := range s.all() {
		if r.child != nil {
			r.child.walk(depth-1, visit)
		}
	}
}

// all are the resources that a list shows: the current ones in the template's
// order, then those on their way out that exist still.
func (s *heatStack) all() []*heatResource {
	var out []*heatResource
	seen := map[string]bool{}
	if s.spec != nil {
		for _, name := range s.spec.order {
			if r := s.resources[name]; r != nil {
				out, seen[name] = append(out, r), true
			}
		}
	}
	for _, name := range sortedNames(s.resources) {
		if !seen[name] {
			out, seen[name] = append(out, s.resources[name]), true
		}
	}
	for _, r := range slices.Backward(s.gone) {
		if !seen[r.name] {
			out, seen[r.name] = append(out, r), true
		}
	}
	return out
}
