package devcloud

import (
	"maps"
	"slices"
	"time"

	"github.com/go-magnum/magnum/sdk/hot"
)

// heatResource is one resource of a stack.
type heatResource struct {
	stack *heatStack
	name  string
	def   *hot.Resource
	// kind is the type after the registry: a known type or a template's file.
	kind     string
	nested   bool // it has a stack of its own
	nothing  bool // OS::Heat::None
	props    map[string]any
	physical string
	metadata map[string]any
	requires []string

	action, status, reason string
	created, updated       time.Time
	round                  int
	// until is when what is under way ends by itself; zero waits for something
	// else.
	until time.Time
	// stalled is set by a fault: nothing ends it.
	stalled *StackRule

	child   *heatStack
	removed map[string]bool // a group's members that must not come back
	attrs   map[string]any  // what its type made of it
	token   string          // a wait condition handle's
}

func (h *heat) newResource(s *heatStack, def *hot.Resource) *heatResource {
	now := h.config.now()
	return &heatResource{
		stack: s, name: def.Name, def: def, kind: def.Type, action: actionInit, status: complete,
		created: now, updated: now, metadata: maps.Clone(def.Metadata),
	}
}

// settled says that the resource has been dealt with in this round.
func (r *heatResource) settled() bool {
	return r.round == r.stack.round && r.status == complete && r.action != actionInit
}

func (r *heatResource) state() string { return r.action + "_" + r.status }

// there says that the resource exists, or is being made.
func (r *heatResource) there() bool { return r.action != actionInit && r.action != actionDelete }

func (h *heat) setResource(r *heatResource, action, status, reason string) {
	r.action, r.status, r.reason = action, status, reason
	r.updated = h.config.now()
	h.record(r.stack, r.name, r.physical, r.state(), reason, r.def.Type)
}

// start begins what this round has to do to a resource.
func (h *heat) start(r *heatResource) {
	s := r.stack
	def := s.spec.hot.Template.Resources[r.name]
	props, errs := s.spec.scope.Check(def)
	if len(errs) > 0 {
		r.round = s.round
		action := actionCreate
		if r.there() {
			action = actionUpdate
		}
		h.failResource(r, action, &failure{class: hot.KindValidation, message: errs[0].Error()})
		return
	}
	final, kind, err := s.spec.hot.Resolve(def.Type)
	if err != nil {
		h.failResource(r, actionCreate, &failure{class: hot.KindValidation, message: err.Error()})
		return
	}
	if !r.there() {
		h.create(r, def, final, kind, props)
		return
	}
	switch {
	case r.status == failed && (!r.nested || r.child == nil), final != r.kind && !(r.nested && kind == hot.Nested), h.mustReplace(r, def, props):
		fresh := h.newResource(s, def)
		s.gone = append(s.gone, r)
		s.resources[r.name] = fresh
		h.create(fresh, def, final, kind, props)
	case !r.nested && hot.Equal(r.props, props):
		r.def, r.round = def, s.round
		r.requires = slices.Clone(s.spec.deps[r.name])
	default:
		h.update(r, def, final, props)
	}
}

// mustReplace says whether a changed property cannot be changed in place.
func (h *heat) mustReplace(r *heatResource, def *hot.Resource, props map[string]any) bool {
	t, ok := hot.LookupType(r.kind)
	if !ok {
		return false
	}
	for name, p := range t.Properties {
		if p.Update || hot.Equal(r.props[name], props[name]) {
			continue
		}
		return true
	}
	// What a server boots with is replaced with it, unless told otherwise.
	if r.kind == "OS::Nova::Server" {
		for name, policy := range map[string]string{"user_data": "user_data_update_policy", "image": "image_update_policy", "flavor": "flavor_update_policy"} {
			want, _ := props[policy].(string)
			if name == "user_data" && want == "" {
				want = "REPLACE"
			}
			if want == "REPLACE" && !hot.Equal(r.props[name], props[name]) {
				return true
			}
		}
	}
	return def.Type != r.def.Type && !r.nested
}

func (h *heat) create(r *heatResource, def *hot.Resource, final string, kind hot.Kind, props map[string]any) {
	r.def, r.kind, r.props, r.round = def, final, props, r.stack.round
	r.nothing = kind == hot.Nothing
	r.nested = kind == hot.Nested || final == hot.ResourceGroup
	r.requires = slices.Clone(r.stack.spec.deps[r.name])
	if r.nested {
		r.physical = h.physicalName(r)
	}
	h.setResource(r, actionCreate, inProgress, "state changed")
	if h.bend(r, actionCreate) {
		return
	}
	if r.nested {
		h.nest(r)
		return
	}
	if f := h.make(r); f != nil {
		h.failResource(r, actionCreate, f)
		return
	}
	h.poll(r)
}

func (h *heat) update(r *heatResource, def *hot.Resource, final string, props map[string]any) {
	old := r.props
	r.def, r.kind, r.props, r.round = def, final, props, r.stack.round
	r.requires = slices.Clone(r.stack.spec.deps[r.name])
	r.until = time.Time{}
	h.setResource(r, actionUpdate, inProgress, "state changed")
	if h.bend(r, actionUpdate) {
		return
	}
	if r.nested {
		h.renest(r)
		return
	}
	h.remake(r, old)
	h.poll(r)
}

// poll looks whether what is under way has ended, and says whether it has.
func (h *heat) poll(r *heatResource) bool {
	if r.stalled != nil {
		if r.stalled.active() {
			return false
		}
		r.stalled = nil
	}
	switch {
	case r.nested:
		return h.pollNested(r)
	case r.kind == "OS::Heat::WaitCondition" && r.action != actionDelete:
		return h.pollCondition(r)
	}
	if now := h.config.now(); now.Before(r.until) {
		r.stack.at(r.until)
		return false
	}
	h.endResource(r)
	return true
}

// endResource completes what is under way.
func (h *heat) endResource(r *heatResource) {
	action := r.action
	h.setResource(r, action, complete, "state changed")
	if r.kind == "OS::Nova::Server" && action == actionCreate {
		h.boot(r)
	}
}

// failResource fails a resource and with it the stack.
func (h *heat) failResource(r *heatResource, action string, f *failure) {
	seen := f.at(r.name)
	h.setResource(r, action, failed, seen.String())
	h.fail(r.stack, seen, action)
}

// pollNested looks at the stack inside a resource.
func (h *heat) pollNested(r *heatResource) bool {
	if r.child == nil { // it failed before there was one, or is gone
		h.endResource(r)
		return true
	}
	h.step(r.child)
	switch r.child.status {
	case complete:
		h.endResource(r)
		return true
	case failed:
		f := r.child.failure
		if f == nil {
			f = &failure{message: r.child.reason}
		}
		h.failResource(r, r.action, f)
		return true
	}
	return false
}

// clean deletes what is to go, users before what they use, and says whether
// anything moved.
func (h *heat) clean(s *heatStack) bool {
	moved, round := false, s.round
	for _, r := range slices.Clone(s.gone) {
		if !slices.Contains(s.gone, r) {
			continue
		}
		switch {
		case r.action == actionDelete && r.status == inProgress:
			moved = h.poll(r) || moved
		case slices.ContainsFunc(s.gone, func(other *heatResource) bool {
			return other != r && other.there() && slices.Contains(other.requires, r.name)
		}):
			continue // still in use
		default:
			h.remove(r)
			moved = true
		}
		if r.action == actionDelete && r.status == complete || r.action == actionInit {
			s.gone = slices.DeleteFunc(s.gone, func(other *heatResource) bool { return other == r })
		}
		if !s.busy() || s.round != round {
			return true
		}
	}
	return moved
}

// remove begins to delete a resource.
func (h *heat) remove(r *heatResource) {
	if r.action == actionInit {
		return
	}
	r.until, r.stalled = time.Time{}, nil
	h.setResource(r, actionDelete, inProgress, "state changed")
	if h.bend(r, actionDelete) {
		return
	}
	if r.child != nil && r.child.alive() {
		h.begin(r.child, actionDelete, nil)
	} else {
		if f := h.inUse(r); f != nil {
			h.failResource(r, actionDelete, f)
			return
		}
		h.unmake(r)
		r.child = nil
	}
	h.poll(r)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
