package devcloud

import (
	"net/http"
	"slices"

	"github.com/go-magnum/magnum/sdk/hot"
)

// outputs evaluates a stack's outputs; one that fails says why.
func (h *heat) outputs(s *heatStack) []object {
	list := []object{}
	if s.spec == nil {
		return list
	}
	for _, name := range s.spec.hot.Template.OutputNames() {
		if on, err := s.spec.scope.OutputEnabled(s.spec.hot.Template.Outputs[name]); err == nil && on {
			list = append(list, h.output(s, name, true))
		}
	}
	return list
}

func (h *heat) output(s *heatStack, name string, resolve bool) object {
	o := s.spec.hot.Template.Outputs[name]
	description := o.Description
	if description == "" {
		description = "No description given"
	}
	out := object{"output_key": name, "description": description}
	if !resolve {
		return out
	}
	v, err := s.spec.scope.Output(name)
	if err != nil {
		v, out["output_error"] = nil, err.Error()
	}
	out["output_value"] = v
	return out
}

func (h *heat) listOutputs(w http.ResponseWriter, _ *http.Request, s *heatStack) {
	list := []object{}
	if s.spec != nil {
		for _, name := range s.spec.hot.Template.OutputNames() {
			list = append(list, h.output(s, name, false))
		}
	}
	answer(w, http.StatusOK, object{"outputs": list})
}

func (h *heat) showOutput(w http.ResponseWriter, r *http.Request, s *heatStack) {
	name := r.PathValue("output")
	if s.spec == nil || s.spec.hot.Template.Outputs[name] == nil {
		heatError(w, http.StatusNotFound, "NotFound", "Specified output key "+name+" not found.")
		return
	}
	answer(w, http.StatusOK, object{"output": h.output(s, name, true)})
}

func (h *heat) listResources(w http.ResponseWriter, r *http.Request, s *heatStack) {
	q := r.URL.Query()
	depth, err := number("nested_depth", q.Get("nested_depth"))
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	detailed := isTrue(q.Get("with_detail"))
	list := []object{}
	s.walk(min(depth, hot.MaxNestedDepth), func(s *heatStack) {
		for _, res := range s.all() {
			wanted := func(key, value string) bool { return len(q[key]) == 0 || slices.Contains(q[key], value) }
			if wanted("name", res.name) && wanted("type", res.def.Type) && wanted("status", res.status) && wanted("action", res.action) &&
				wanted("physical_resource_id", res.physical) {
				if detailed {
					list = append(list, h.detailResource(res))
				} else {
					list = append(list, h.describeResource(res))
				}
			}
		}
	})
	answer(w, http.StatusOK, object{"resources": list})
}

func (h *heat) describeResource(r *heatResource) object {
	links := []object{heatLink("self", h.resourceURL(r)), heatLink("stack", h.stackURL(r.stack))}
	if r.child != nil {
		links = append(links, heatLink("nested", h.stackURL(r.child)))
	}
	requiredBy := []string{}
	for _, other := range r.stack.all() {
		if slices.Contains(other.requires, r.name) || r.stack.spec != nil && slices.Contains(r.stack.spec.deps[other.name], r.name) {
			requiredBy = append(requiredBy, other.name)
		}
	}
	out := object{
		"resource_name": r.name, "logical_resource_id": r.name, "physical_resource_id": r.physical, "resource_type": r.def.Type,
		"resource_status": r.state(), "resource_status_reason": r.reason, "creation_time": heatTime(r.created), "updated_time": heatTime(r.updated),
		"links": links, "required_by": requiredBy,
	}
	if r.stack.parent != nil {
		out["parent_resource"] = r.stack.parent.name
	}
	return out
}

func (h *heat) showResource(w http.ResponseWriter, _ *http.Request, r *heatResource) {
	answer(w, http.StatusOK, object{"resource": h.detailResource(r)})
}

func (h *heat) detailResource(r *heatResource) object {
	out := h.describeResource(r)
	out["description"] = r.def.Description
	attributes := map[string]any{}
	if r.there() {
		if v, _, err := h.attribute(r, "", nil); err == nil {
			if m, ok := v.(map[string]any); ok {
				attributes = m
			}
		}
	}
	out["attributes"] = attributes
	return out
}

func (h *heat) showMetadata(w http.ResponseWriter, _ *http.Request, r *heatResource) {
	metadata := r.metadata
	if metadata == nil {
		metadata = map[string]any{}
	}
	answer(w, http.StatusOK, object{"metadata": metadata})
}

func (h *heat) signalResource(w http.ResponseWriter, req *http.Request, r *heatResource) {
	body, err := decodeObject(bodyOf(req.Context()))
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	switch r.kind {
	case "OS::Heat::WaitConditionHandle":
		h.signalHandle(r, body)
	case "OS::Heat::SoftwareDeployment", "OS::Heat::StructuredDeployment", "OS::Heat::SoftwareDeploymentGroup":
		h.signalDeployment(r, body)
	default:
		heatError(w, http.StatusBadRequest, "ResourceActionNotSupported", "signal is not supported for resource.")
		return
	}
	answer(w, http.StatusOK, nil)
}

func (h *heat) listEvents(w http.ResponseWriter, r *http.Request, s *heatStack) {
	q := r.URL.Query()
	limit, err := number("limit", q.Get("limit"))
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	depth, err := number("nested_depth", q.Get("nested_depth"))
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	only := r.PathValue("resource")
	var found []*heatEvent
	s.walk(min(depth, hot.MaxNestedDepth), func(s *heatStack) {
		for _, e := range slices.Backward(s.events) {
			if only == "" || e.resource == only {
				found = append(found, e)
			}
		}
	})
	slices.SortStableFunc(found, func(a, b *heatEvent) int { return b.time.Compare(a.time) })
	if q.Get("sort_dir") == "asc" {
		slices.Reverse(found)
	}
	if i := slices.IndexFunc(found, func(e *heatEvent) bool { return e.id == q.Get("marker") }); i >= 0 {
		found = found[i+1:]
	}
	if limit > 0 && limit < len(found) {
		found = found[:limit]
	}
	list := []object{}
	for _, e := range found {
		list = append(list, h.describeEvent(e, depth > 0))
	}
	answer(w, http.StatusOK, object{"events": list})
}

func (h *heat) describeEvent(e *heatEvent, nested bool) object {
	resource := h.stackURL(e.stack) + "/resources/" + e.resource
	links := []object{heatLink("self", resource+"/events/"+e.id), heatLink("resource", resource), heatLink("stack", h.stackURL(e.stack))}
	if nested {
		links = append(links, heatLink("root_stack", h.stackURL(e.stack.root)))
	}
	return object{
		"id": e.id, "links": links, "event_time": heatTime(e.time), "logical_resource_id": e.resource, "resource_name": e.resource,
		"physical_resource_id": e.physical, "resource_status": e.state, "resource_status_reason": e.reason,
	}
}

func (h *heat) showEvent(w http.ResponseWriter, r *http.Request, s *heatStack) {
	for _, e := range s.events {
		if e.id == r.PathValue("event") {
			out := h.describeEvent(e, false)
			out["resource_type"], out["resource_properties"] = e.kind, object{}
			answer(w, http.StatusOK, object{"event": out})
			return
		}
	}
	heatError(w, http.StatusNotFound, "EntityNotFound", "The Event ("+r.PathValue("event")+") could not be found.")
}
