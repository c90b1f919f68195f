package devcloud

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/hot"
)

var stackName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.-]{0,254}$`)

const defaultStackTimeout = 60 // minutes

func (h *heat) createStack(w http.ResponseWriter, r *http.Request, id ident) {
	body, err := readHeatBody(w, r)
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	in, err := readInput(body)
	name := textOrRaw(body["stack_name"])
	switch {
	case err != nil:
		heatRefuse(w, err)
		return
	case name == "":
		badHeatRequest(w, "%s", errNoName)
		return
	case in.template == "" && !present(body["template"]):
		badHeatRequest(w, "%s", errNoTemplate)
		return
	case !stackName.MatchString(name):
		heatError(w, http.StatusBadRequest, hot.KindValidation, fmt.Sprintf("Invalid stack name %s must contain only alphanumeric or \"_-.\" characters, must start with alpha and must be 255 characters or less.", name))
		return
	}
	loaded, err := in.load()
	if err != nil {
		heatRefuse(w, err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.find(id.ProjectID, name); old != nil && old.name == name && old.alive() {
		heatError(w, http.StatusConflict, "StackExists", fmt.Sprintf("The Stack (%s) already exists.", name))
		return
	}
	s := h.newStack(name, id.ProjectID, id.UserName, nil)
	s.input, s.timeout = in, defaultStackTimeout
	s.userProject = strings.ReplaceAll(h.config.newUUID(), "-", "")
	spec, err := h.accept(s, loaded, body)
	if err != nil {
		delete(h.stacks, s.id)
		heatRefuse(w, err)
		return
	}
	h.roots = append(h.roots, s)
	h.begin(s, actionCreate, spec)
	w.Header().Set("Location", h.stackURL(s))
	answer(w, http.StatusCreated, object{"stack": object{"id": s.id, "links": []object{heatLink("self", h.stackURL(s))}}})
}

// accept validates what a stack is to become and takes over the options of the
// request.
func (h *heat) accept(s *heatStack, loaded *hot.Stack, body map[string]json.RawMessage) (*stackSpec, error) {
	pseudo := h.pseudo(s)
	if err := loaded.Validate(nil, pseudo); err != nil {
		return nil, err
	}
	scope, err := loaded.Scope(nil, pseudo)
	if err != nil {
		return nil, err
	}
	disable, err := optionBool(body["disable_rollback"], s.disableRollback)
	if err != nil {
		return nil, err
	}
	timeout, err := number("timeout_mins", textOrRaw(body["timeout_mins"]))
	if err != nil {
		return nil, err
	}
	if timeout > 0 {
		s.timeout = timeout
	}
	s.disableRollback = disable
	if s.tags, err = readTags(body["tags"]); err != nil {
		return nil, err
	}
	return &stackSpec{hot: loaded, scope: scope}, nil
}

func (h *heat) updateStack(w http.ResponseWriter, r *http.Request, s *heatStack) {
	body := bodyOf(r.Context())
	if !s.alive() || s.parent != nil {
		noStack(w, s.name)
		return
	}
	in, err := readInput(body)
	if err != nil {
		heatRefuse(w, err)
		return
	}
	if r.Method == http.MethodPatch {
		var cleared []string
		if raw := body["clear_parameters"]; present(raw) {
			if err := json.Unmarshal(raw, &cleared); err != nil {
				badHeatRequest(w, "clear_parameters: %s", err)
				return
			}
		}
		if err := in.over(s.input, cleared); err != nil {
			heatRefuse(w, err)
			return
		}
	} else if in.template == "" {
		badHeatRequest(w, "%s", errNoTemplate)
		return
	}
	if s.action == actionDelete && s.busy() {
		heatError(w, http.StatusConflict, "ActionInProgress", fmt.Sprintf("Stack %s already has an action (%s) in progress.", s.name, s.action))
		return
	}
	loaded, err := in.load()
	if err != nil {
		heatRefuse(w, err)
		return
	}
	tags := s.tags
	spec, err := h.accept(s, loaded, body)
	if err != nil {
		heatRefuse(w, err)
		return
	}
	if r.Method == http.MethodPatch && !present(body["tags"]) {
		s.tags = tags
	}
	s.input = in
	h.begin(s, actionUpdate, spec)
	heatPlain(w, http.StatusAccepted, "The request is accepted for processing.<br /><br />\n\n\n")
}

func (h *heat) deleteStack(w http.ResponseWriter, _ *http.Request, s *heatStack) {
	if !s.alive() {
		noStack(w, s.name)
		return
	}
	if s.action != actionDelete || !s.busy() {
		h.begin(s, actionDelete, nil)
	}
	w.WriteHeader(http.StatusNoContent)
}

// listed is a stack as a list has it.
func (h *heat) listed(s *heatStack) object {
	description := ""
	if s.last != nil {
		description = s.last.hot.Template.Description
	}
	var parent any
	if s.parent != nil {
		parent = s.parent.stack.id
	}
	return object{
		"id": s.id, "stack_name": s.name, "links": []object{heatLink("self", h.stackURL(s))}, "description": description,
		"stack_status": s.state(), "stack_status_reason": s.reason, "creation_time": heatTime(s.created), "updated_time": heatTime(s.updated),
		"deletion_time": heatTime(s.deleted), "stack_owner": s.owner, "parent": parent, "stack_user_project_id": s.userProject, "tags": tagList(s.tags),
	}
}

func tagList(tags []string) any {
	if len(tags) == 0 {
		return nil
	}
	return tags
}

func (h *heat) listStacks(w http.ResponseWriter, r *http.Request, id ident) {
	q := r.URL.Query()
	limit, err := number("limit", q.Get("limit"))
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []*heatStack
	for _, root := range slices.Backward(h.roots) {
		depth := 0
		if isTrue(q.Get("show_nested")) {
			depth = hot.MaxNestedDepth + 1
		}
		root.walk(depth, func(s *heatStack) {
			if (s.project == id.ProjectID || isTrue(q.Get("global_tenant")) && id.isAdmin()) &&
				(s.alive() || isTrue(q.Get("show_deleted"))) && matches(s, q) {
				found = append(found, s)
			}
		})
	}
	body := object{}
	if isTrue(q.Get("with_count")) {
		body["count"] = len(found)
	}
	if marker := q.Get("marker"); marker != "" {
		if i := slices.IndexFunc(found, func(s *heatStack) bool { return s.id == marker }); i >= 0 {
			found = found[i+1:]
		}
	}
	if limit > 0 && limit <= len(found) {
		found = found[:limit]
		q.Set("marker", found[limit-1].id)
		body["links"] = []object{heatLink("next", h.config.base+r.URL.Path+"?"+q.Encode())}
	}
	list := []object{}
	for _, s := range found {
		list = append(list, h.listed(s))
	}
	body["stacks"] = list
	answer(w, http.StatusOK, body)
}

// matches holds a stack against a list's filters.
func matches(s *heatStack, q url.Values) bool {
	fits := func(key string, values ...string) bool {
		want := q[key]
		return len(want) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(want, v) })
	}
	for _, tag := range strings.Split(q.Get("tags"), ",") {
		if tag != "" && !slices.Contains(s.tags, tag) {
			return false
		}
	}
	return fits("id", s.id) && fits("name", s.name) && fits("stack_name", s.name) && fits("status", s.status, s.state()) && fits("action", s.action) &&
		fits("owner", s.owner) && fits("username", s.owner)
}

func (h *heat) showStack(w http.ResponseWriter, r *http.Request, s *heatStack) {
	description := "No description"
	if s.last != nil && s.last.hot.Template.Description != "" {
		description = s.last.hot.Template.Description
	}
	body := h.listed(s)
	body["description"], body["template_description"] = description, description
	body["notification_topics"], body["capabilities"] = []string{}, []string{}
	body["disable_rollback"], body["timeout_mins"] = s.disableRollback, s.timeout
	body["parameters"] = s.shownParameters(true)
	if s.tags == nil {
		body["tags"] = []string{}
	}
	resolve := r.URL.Query().Get("resolve_outputs")
	if s.alive() && (resolve == "" || isTrue(resolve)) {
		body["outputs"] = h.outputs(s)
	}
	answer(w, http.StatusOK, object{"stack": body})
}

// shownParameters are the values of a stack's parameters as texts; hidden ones
// as stars if masked.
func (s *heatStack) shownParameters(masked bool) map[string]string {
	out := map[string]string{"OS::stack_id": s.id, "OS::project_id": s.project, "OS::stack_name": s.name}
	if s.last == nil {
		return out
	}
	for name, p := range s.last.hot.Template.Parameters {
		v, ok := s.last.scope.Values[name]
		switch {
		case !ok:
		case p.Hidden && masked:
			out[name] = "******"
		default:
			out[name] = hot.Text(v)
		}
	}
	return out
}

func (h *heat) validateTemplate(w http.ResponseWriter, r *http.Request, _ ident) {
	body, err := readHeatBody(w, r)
	if err != nil {
		badHeatRequest(w, "%s", err)
		return
	}
	in, err := readInput(body)
	if err == nil && in.template == "" {
		err = errNoTemplate
	}
	if err != nil {
		heatRefuse(w, err)
		return
	}
	t, err := hot.Parse("[root stack]", []byte(in.template))
	if err != nil {
		heatRefuse(w, err)
		return
	}
	params := object{}
	for name, p := range t.Parameters {
		params[name] = validatedParameter(p)
	}
	description := t.Description
	if description == "" {
		description = "No description"
	}
	answer(w, http.StatusOK, object{"Description": description, "Parameters": params, "Environment": shownEnvironment(in.environment)})
}

func validatedParameter(p *hot.Parameter) object {
	label := p.Label
	if label == "" {
		label = p.Name
	}
	out := object{
		"Type":        map[hot.ParameterType]string{hot.TypeString: "String", hot.TypeNumber: "Number", hot.TypeJSON: "Json", hot.TypeList: "CommaDelimitedList", hot.TypeBoolean: "Boolean"}[p.Type],
		"Description": p.Description, "Label": label, "NoEcho": fmt.Sprint(p.Hidden),
	}
	if p.HasDefault {
		out["Default"] = p.Default
	}
	for _, c := range p.Constraints {
		switch {
		case c.AllowedValues != nil:
			out["AllowedValues"] = c.AllowedValues
		case c.Pattern != "":
			out["AllowedPattern"] = c.Pattern
		case c.Custom != "":
			out["CustomConstraint"] = c.Custom
		case c.Length != nil:
			bounds(out, c.Length, "MinLength", "MaxLength")
		case c.Range != nil:
			bounds(out, c.Range, "MinValue", "MaxValue")
		}
	}
	return out
}

func bounds(out object, b *hot.Bounds, low, high string) {
	if b.Min != nil {
		out[low] = *b.Min
	}
	if b.Max != nil {
		out[high] = *b.Max
	}
}

func shownEnvironment(env *hot.Environment) object {
	registry := object{"resources": object{}}
	for k, v := range env.Registry {
		registry[k] = v
	}
	return object{"resource_registry": registry, "parameters": env.Parameters, "parameter_defaults": env.ParameterDefaults, "event_sinks": []any{}}
}

func (h *heat) showTemplate(w http.ResponseWriter, _ *http.Request, s *heatStack) {
	answer(w, http.StatusOK, s.last.hot.Template.Raw)
}

func (h *heat) showEnvironment(w http.ResponseWriter, _ *http.Request, s *heatStack) {
	answer(w, http.StatusOK, shownEnvironment(s.last.hot.Environment))
}

func (h *heat) showFiles(w http.ResponseWriter, _ *http.Request, s *heatStack) {
	answer(w, http.StatusOK, s.last.hot.Files)
}
