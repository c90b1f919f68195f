package devcloud

import (
	"fmt"
	"time"

	"github.com/go-magnum/magnum/sdk/hot"
)

// What is done to stacks and resources, and how it stands.
const (
	actionCreate   = "CREATE"
	actionUpdate   = "UPDATE"
	actionDelete   = "DELETE"
	actionRollback = "ROLLBACK"
	actionInit     = "INIT"

	inProgress = "IN_PROGRESS"
	complete   = "COMPLETE"
	failed     = "FAILED"
)

// stackSpec is what a stack is to become: its template and the values for it.
type stackSpec struct {
	hot   *hot.Stack
	given map[string]any // a nested stack's properties
	scope *hot.Scope
	order []string
	deps  map[string][]string
}

// heatStack is a stack or nested stack.
type heatStack struct {
	id, name    string
	project     string
	userProject string // the project Heat makes for a stack's own users
	owner       string
	parent      *heatResource // nil for a root
	root        *heatStack

	input *stackInput // what a client sent; roots only
	spec  *stackSpec  // nil while nothing is to be left
	last  *stackSpec  // the latest that was not nil, to show
	good  *stackSpec  // what a failed update goes back to
	// resources are those of the current template, gone those to be deleted:
	// replaced ones, and ones the template no longer has.
	resources map[string]*heatResource
	gone      []*heatResource
	// round tells the operations of a stack apart: a resource whose round is
	// its stack's has been dealt with.
	round int

	action, status, reason    string
	created, updated, deleted time.Time
	deadline                  time.Time
	timeout                   int // minutes
	disableRollback           bool
	tags                      []string
	events                    []*heatEvent
	failure                   *failure

	// Of roots only: whether to look at it, and by when at the latest.
	dirty bool
	next  time.Time
}

// failure is why a resource failed, kept in parts because each stack above puts
// its own place in front.
type failure struct {
	class   string // such as WaitConditionFailure
	path    []string
	message string
}

func (f *failure) String() string {
	text := hot.PathString(f.path) + ": " + f.message
	if f.class != "" {
		text = f.class + ": " + text
	}
	return text
}

// at is the failure seen from the stack that holds the resource.
func (f *failure) at(name string) *failure {
	return &failure{f.class, append([]string{"resources", name}, f.path...), f.message}
}

// heatEvent is one line of a stack's history. resource is the stack's own name
// for events of the stack itself.
type heatEvent struct {
	id, resource, physical, state, reason, kind string
	stack                                       *heatStack
	time                                        time.Time
}

func (s *heatStack) state() string { return s.action + "_" + s.status }

func (s *heatStack) busy() bool { return s.status == inProgress }

// alive says that the stack has not been deleted.
func (s *heatStack) alive() bool { return s.deleted.IsZero() }

// set moves the stack to a state and writes it into its history.
func (h *heat) set(s *heatStack, action, status, reason string) {
	s.action, s.status, s.reason = action, status, reason
	h.record(s, s.name, s.id, s.state(), reason, "")
	h.config.logger.Debug("stack", "name", s.name, "state", s.state())
}

func (h *heat) record(s *heatStack, resource, physical, state, reason, kind string) {
	s.events = append(s.events, &heatEvent{
		id: h.config.newUUID(), resource: resource, physical: physical, state: state, reason: reason, kind: kind, stack: s, time: h.config.now(),
	})
}

// touch has the engine look at a stack's tree.
func (h *heat) touch(s *heatStack) {
	s.root.dirty = true
	h.nudge()
}

// at has the engine look again at a moment.
func (s *heatStack) at(t time.Time) {
	if t.Before(s.root.next) {
		s.root.next = t
	}
}

// newStack makes a stack that has not begun to be created.
func (h *heat) newStack(name, project, owner string, parent *heatResource) *heatStack {
	s := &heatStack{
		id: h.config.newUUID(), name: name, project: project, owner: owner, parent: parent,
		resources: map[string]*heatResource{}, created: h.config.now(), disableRollback: true,
		action: actionInit, status: complete,
	}
	s.root = s
	if parent != nil {
		s.root = parent.stack.root
		s.userProject = s.root.userProject
		s.timeout = s.root.timeout
	}
	h.stacks[s.id] = s
	return s
}

// begin starts an operation on a stack. A spec of nil leaves nothing.
func (h *heat) begin(s *heatStack, action string, spec *stackSpec) {
	now := h.config.now()
	s.round++
	s.failure = nil
	s.spec = spec
	if spec != nil {
		s.last = spec
	}
	if s.timeout > 0 && s.parent == nil {
		s.deadline = now.Add(time.Duration(s.timeout) * time.Minute)
	}
	if action == actionUpdate || action == actionRollback {
		s.updated = now
	}
	h.set(s, action, inProgress, fmt.Sprintf("Stack %s started", action))
	if spec != nil {
		spec.scope.Resolver = &resolver{h, s}
		if order, deps, err := spec.scope.Order(); err != nil {
			h.fail(s, &failure{class: hot.KindValidation, message: err.Error()}, action)
			return
		} else {
			spec.order, spec.deps = order, deps
		}
		h.prepare(s)
	}
	h.discard(s)
	h.touch(s)
}

// prepare puts the resources of a new template into the stack, to be created.
func (h *heat) prepare(s *heatStack) {
	for _, name := range s.spec.order {
		if s.resources[name] == nil {
			s.resources[name] = h.newResource(s, s.spec.hot.Template.Resources[name])
		}
	}
}

// discard lets go of the resources that the template does not have.
func (h *heat) discard(s *heatStack) {
	wanted := map[string]bool{}
	if s.spec != nil {
		for _, name := range s.spec.order {
			wanted[name] = true
		}
	}
	for _, name := range sortedNames(s.resources) {
		if !wanted[name] {
			s.gone = append(s.gone, s.resources[name])
			delete(s.resources, name)
		}
	}
}

// step takes every step a stack can take now.
func (h *heat) step(s *heatStack) {
	for s.busy() && h.stepOnce(s) {
	}
}

// stepOnce looks at each resource once and says whether anything moved.
func (h *heat) stepOnce(s *heatStack) bool {
	if now := h.config.now(); !s.deadline.IsZero() {
		if !now.Before(s.deadline) {
			h.timeOut(s)
			return false
		}
		s.at(s.deadline)
	}
	moved, open, round := false, false, s.round
	if s.spec != nil {
		for _, name := range s.spec.order {
			r := s.resources[name]
			if r.settled() {
				continue
			}
			open = true
			if r.status == inProgress {
				moved = h.poll(r) || moved
			} else if h.ready(s, name) {
				h.start(r)
				moved = true
			}
			if !s.busy() || s.round != round {
				return true // it failed, and may be on its way back
			}
		}
	}
	if open {
		return moved
	}
	if len(s.gone) > 0 {
		return h.clean(s) || moved
	}
	h.finish(s)
	return true
}

// ready says whether all that a resource needs is there.
func (h *heat) ready(s *heatStack, name string) bool {
	for _, d := range s.spec.deps[name] {
		if !s.resources[d].settled() {
			return false
		}
	}
	return true
}

// finish ends an operation that has nothing left to do.
func (h *heat) finish(s *heatStack) {
	action := s.action
	s.deadline = time.Time{}
	if s.spec != nil {
		s.good = s.spec
	}
	if action == actionDelete {
		s.deleted = h.config.now()
	}
	h.set(s, action, complete, fmt.Sprintf("Stack %s completed successfully", action))
	if s.parent != nil {
		h.touch(s)
	}
}

// fail ends an operation and, where asked for, begins the way back.
func (h *heat) fail(s *heatStack, f *failure, resourceAction string) {
	s.failure = f
	s.deadline = time.Time{}
	action := s.action
	reason := f.message
	if len(f.path) > 0 {
		reason = fmt.Sprintf("Resource %s failed: %s", resourceAction, f)
	}
	h.set(s, action, failed, reason)
	if s.parent != nil {
		h.touch(s)
		return
	}
	if s.disableRollback || action != actionCreate && action != actionUpdate {
		return
	}
	back := s.good
	if action == actionCreate {
		back = nil
	}
	h.begin(s, actionRollback, back)
}

// timeOut fails a stack whose time is up, and the stacks in it that still move.
func (h *heat) timeOut(s *heatStack) {
	h.freeze(s, "Timed out")
	h.fail(s, &failure{message: "Timed out"}, s.action)
}

// freeze marks what is under way below a stack as failed.
func (h *heat) freeze(s *heatStack, reason string) {
	for _, name := range sortedNames(s.resources) {
		r := s.resources[name]
		if r.status != inProgress {
			continue
		}
		if r.child != nil && r.child.busy() {
			h.freeze(r.child, reason)
			h.set(r.child, r.child.action, failed, reason)
		}
		h.setResource(r, r.action, failed, fmt.Sprintf("%s aborted (%s)", r.action, reason))
	}
}
