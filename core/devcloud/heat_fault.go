package devcloud

import (
	"regexp"
	"slices"
)

// StackFault bends what becomes of resources in stacks. The members that
// choose resources are all to match; an empty one matches any. Without Stall
// and Silent the resource fails.
type StackFault struct {
	// Stack is matched against the name of the outermost stack.
	Stack *regexp.Regexp
	// Type is the resource's type as the template has it, or what the
	// environment makes of it.
	Type string
	// Name is the resource's name in its own stack, such as kube_master or, in
	// a group, 0.
	Name string
	// Action is CREATE, UPDATE or DELETE.
	Action string
	// Skip lets that many matching resources pass first, Count is how many it
	// hits; 0 is every one.
	Skip, Count int

	// Reason is what the resource says when it fails.
	Reason string
	// Stall leaves the resource in progress, until the rule is removed.
	Stall bool
	// Silent lets a server come up that never signals anything, and a software
	// deployment never report.
	Silent bool
}

// StackRule is a StackFault in force.
type StackRule struct {
	fault StackFault
	owner *heat
	seen  int
	hits  int
	gone  bool
}

// Hits is how many resources it bent.
func (r *StackRule) Hits() int {
	r.owner.mu.Lock()
	defer r.owner.mu.Unlock()
	return r.hits
}

// Remove ends it; what it stalled goes on.
func (r *StackRule) Remove() {
	r.owner.mu.Lock()
	defer r.owner.mu.Unlock()
	r.gone = true
	r.owner.faults = slices.DeleteFunc(r.owner.faults, func(other *StackRule) bool { return other == r })
	for _, root := range r.owner.roots {
		root.dirty = true
	}
	r.owner.nudge()
}

func (r *StackRule) active() bool { return !r.gone }

// AddStackFault puts a fault into force, behind those that already are.
func (c *Cloud) AddStackFault(fault StackFault) *StackRule {
	h := c.heat.(*heat)
	h.mu.Lock()
	defer h.mu.Unlock()
	rule := &StackRule{fault: fault, owner: h}
	h.faults = append(h.faults, rule)
	return rule
}

// fault finds the first rule that bends what is done to a resource.
func (h *heat) fault(r *heatResource, action string, silent bool) *StackRule {
	for _, rule := range h.faults {
		f := rule.fault
		if f.Silent != silent || f.Stack != nil && !f.Stack.MatchString(r.stack.root.name) ||
			f.Type != "" && f.Type != r.def.Type && f.Type != r.kind ||
			f.Name != "" && f.Name != r.name || f.Action != "" && f.Action != action {
			continue
		}
		rule.seen++
		if rule.seen <= f.Skip || f.Count > 0 && rule.hits >= f.Count {
			continue
		}
		rule.hits++
		return rule
	}
	return nil
}

// bend applies a rule to what has just begun, if there is one, and says whether
// that was the end of it.
func (h *heat) bend(r *heatResource, action string) bool {
	rule := h.fault(r, action, false)
	if rule == nil {
		return false
	}
	if rule.fault.Stall {
		r.stalled = rule
		return false // it goes on, but never ends
	}
	reason := rule.fault.Reason
	if reason == "" {
		reason = "Went to status ERROR due to \"Message: No valid host was found., Code: 500\""
	}
	h.failResource(r, action, &failure{class: "ResourceInError", message: reason})
	return true
}
