package devcloud

import (
	"time"

	"github.com/go-magnum/magnum/sdk/hot"
)

// StackInfo is what Heat knows of an outermost stack, for tests to look at.
type StackInfo struct {
	Name, ID, ProjectID  string
	Status, StatusReason string // such as CREATE_COMPLETE
	Tags                 []string
	Created              time.Time
	DisableRollback      bool
	TimeoutMinutes       int
	// Parameters are the values in force, defaults and environments included;
	// hidden ones in clear.
	Parameters map[string]string
	// Files and Template are as they were sent.
	Template string
	Files    map[string]string
	// Resources are all resources, those of nested stacks included.
	Resources []StackResource
}

// StackResource is one resource of a stack or of a stack in it.
type StackResource struct {
	// Path is the resource's name behind those of the resources it is in, with
	// slashes.
	Path       string
	Type       string // what the environment made of it
	PhysicalID string
	Status     string
	Reason     string
	Properties map[string]any
}

// Stacks lists the outermost stacks that have not been deleted, oldest first.
func (c *Cloud) Stacks() []StackInfo {
	h := c.heat.(*heat)
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []StackInfo
	for _, s := range h.roots {
		if s.alive() {
			out = append(out, s.info())
		}
	}
	return out
}

func (s *heatStack) info() StackInfo {
	info := StackInfo{
		Name: s.name, ID: s.id, ProjectID: s.project, Status: s.state(), StatusReason: s.reason, Tags: s.tags, Created: s.created,
		DisableRollback: s.disableRollback, TimeoutMinutes: s.timeout, Parameters: s.shownParameters(false),
	}
	if s.input != nil {
		info.Template, info.Files = s.input.template, s.input.files
	}
	s.collect("", &info.Resources)
	return info
}

func (s *heatStack) collect(prefix string, out *[]StackResource) {
	for _, r := range s.all() {
		props, _ := hot.Copy(r.props).(map[string]any)
		*out = append(*out, StackResource{Path: prefix + r.name, Type: r.kind, PhysicalID: r.physical, Status: r.state(), Reason: r.reason, Properties: props})
		if r.child != nil {
			r.child.collect(prefix+r.name+"/", out)
		}
	}
}
