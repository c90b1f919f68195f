package heat

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	// nestedDepth is deeper than any template of ours, and Heat's own limit.
	nestedDepth = 5
	// maxReasons is how many failed resources a reason names.
	maxReasons = 3
	// maxFaults is how many there are with their reasons, and maxReason how
	// long one of those is, in bytes.
	maxFaults = 10
	maxReason = 1000
	// cut ends a reason that was longer.
	cut = " […]"
)

// Resource is a resource of a stack or of one nested in it.
type Resource struct {
	driver.Resource
	// Path is where it is in the tree: the names of the resources above it
	// and its own, from the outside in.
	Path []string
}

// Resources lists all resources of a stack and of those nested in it.
func (c *Client) Resources(ctx context.Context, s Session, ref Ref) ([]Resource, error) {
	ref, err := c.locate(ctx, s, ref)
	if err != nil {
		return nil, err
	}
	var page struct{ Resources []listed }
	if err := c.get(ctx, s, "resources", "list the stack's resources", fmt.Sprintf("%s/resources?nested_depth=%d", ref.path(), nestedDepth), &page); err != nil {
		return nil, err
	}
	// parents maps a nested stack's id to the resource that is that stack.
	parents := map[string]listed{}
	for _, r := range page.Resources {
		if id := r.link("nested"); id != "" {
			parents[id] = r
		}
	}
	all := make([]Resource, len(page.Resources))
	for i, r := range page.Resources {
		all[i] = Resource{Path: r.path(parents), Resource: driver.Resource{
			Name: r.Name, Type: r.Type, Status: r.Status, Reason: r.Reason, PhysicalID: r.PhysicalID, Parent: r.Parent,
		}}
	}
	return all, nil
}

// listed is a resource as Heat lists it.
type listed struct {
	Name       string `json:"resource_name"`
	Type       string `json:"resource_type"`
	Status     string `json:"resource_status"`
	Reason     string `json:"resource_status_reason"`
	PhysicalID string `json:"physical_resource_id"`
	Parent     string `json:"parent_resource"`
	Links      []struct{ Href, Rel string }
}

// link is the id of the stack that a link leads to: "stack" is the one the
// resource is in, "nested" the one that it is.
func (r listed) link(rel string) string {
	for _, l := range r.Links {
		if l.Rel == rel {
			return path.Base(l.Href)
		}
	}
	return ""
}

// path walks up by the links, because names alone are not unique: every
// member of a group has the same ones.
func (r listed) path(parents map[string]listed) []string {
	names := []string{r.Name}
	for up := r; len(names) <= nestedDepth+1; {
		parent, ok := parents[up.link("stack")]
		if !ok {
			if up.Parent != "" {
				names = append(names, up.Parent)
			}
			break
		}
		names = append(names, parent.Name)
		up = parent
	}
	slices.Reverse(names)
	return names
}

// Failure is why a stack failed.
type Failure struct {
	// Reason is in the words of the deepest resources that failed; Heat's own
	// for the whole where there are none.
	Reason string
	// Faults are those resources, by their dotted path, and their reasons.
	Faults map[string]string
}

// WhyFailed finds out why a stack failed.
func (c *Client) WhyFailed(ctx context.Context, s Session, st Stack) Failure {
	all, err := c.Resources(ctx, s, st.Ref())
	if err != nil {
		return Failure{Reason: st.StatusReason}
	}
	f := deepest(all)
	if f.Reason == "" {
		f.Reason = st.StatusReason
	}
	return f
}

func deepest(all []Resource) Failure {
	var failed []Resource
	for _, r := range all {
		if strings.HasSuffix(r.Status, "_FAILED") && r.Reason != "" {
			failed = append(failed, r)
		}
	}
	faults := map[string]string{}
	var reasons []string
	for _, r := range failed {
		under := slices.ContainsFunc(failed, func(o Resource) bool {
			return len(o.Path) > len(r.Path) && slices.Equal(o.Path[:len(r.Path)], r.Path)
		})
		// Heat calls off the neighbours of a failed resource; that is no cause.
		aborted := strings.Contains(r.Reason, "aborted")
		if !under && !aborted {
			path := strings.Join(r.Path, ".")
			faults[path] = bounded(r.Reason)
			reasons = append(reasons, path+": "+r.Reason)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(faults))[min(maxFaults, len(faults)):] {
		delete(faults, path)
	}
	slices.Sort(reasons)
	reasons = slices.Compact(reasons)
	if more := len(reasons) - maxReasons; more > 0 {
		reasons = append(reasons[:maxReasons], fmt.Sprintf("and %d more", more))
	}
	return Failure{Reason: strings.Join(reasons, "; "), Faults: faults}
}

// bounded cuts a reason that is longer than anybody reads: Heat passes on what
// other services answer, whole pages too.
func bounded(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	return strings.ToValidUTF8(reason[:maxReason-len(cut)], "") + cut
}
