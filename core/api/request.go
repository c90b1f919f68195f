package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/policy"
	"github.com/go-magnum/magnum/core/state"
)

// maxBody is the most bytes of a body that are read. The largest honest one, a
// template with many labels, is a hundredth of it.
const maxBody = 1 << 20

// request is a request on its way through the API.
type request struct {
	*http.Request
	id      string
	base    string // scheme, host and a proxy's prefix, for links
	version version
	route   *route
	args    map[string]string // of the path
	caller  *keystone.Identity
	creds   policy.Credentials

	policy *policy.Enforcer
	asked  bool // the policy was asked, or need not be
	old    bool // in the words of old: bays and baymodels
}

// answer is what a handler wants to be said.
type answer struct {
	status   int
	body     []byte
	location string
}

// Attribute makes a request the target of a rule whose request is about no
// object yet: the caller stands for it.
func (rq *request) Attribute(name string) (string, bool) {
	switch name {
	case "project_id":
		return rq.creds.ProjectID, rq.creds.ProjectID != ""
	case "user_id":
		return rq.creds.UserID, rq.creds.UserID != ""
	}
	return rq.trustee(name)
}

// trustee is what every target says of nodes: the domain that their users live
// in is the caller's own exactly when the caller is a node.
func (rq *request) trustee(name string) (string, bool) {
	if name == "trustee_domain_id" && rq.caller != nil && rq.caller.ClusterUUID != "" {
		return rq.creds.DomainID, true
	}
	return "", false
}

// enforce asks the policy for the rule of the route.
func (rq *request) enforce(t policy.Target) error {
	rq.asked = true
	return rq.policy.Enforce(rq.Context(), rq.route.rule, &rq.creds, t)
}

// scope is what the caller may see: its project, or everything for an
// administrator whom the rule for all projects lets.
func (rq *request) scope(allProjects string) (state.Scope, error) {
	if !rq.creds.IsAdmin {
		return state.Scope{ProjectID: rq.creds.ProjectID, UserID: rq.creds.UserID}, nil
	}
	if allProjects != "" {
		if err := rq.policy.Enforce(rq.Context(), allProjects, &rq.creds, rq); err != nil {
			return state.Scope{}, err
		}
	}
	return state.Scope{ProjectID: rq.creds.ProjectID, UserID: rq.creds.UserID, All: true}, nil
}

// listScope is scope for a list. Bays and baymodels go by the rules of what
// they are, so that none is a way around.
func (rq *request) listScope(kind string) (state.Scope, error) {
	_, verb, _ := strings.Cut(rq.route.rule, ":")
	return rq.scope(kind + ":" + verb + "_all_projects")
}

// arguments reads the query and refuses what the handler does not know, and a
// body where none is expected.
func (rq *request) arguments(known ...string) (url.Values, error) {
	values, err := rq.query(known...)
	if err != nil {
		return nil, err
	}
	return values, rq.noBody(known)
}

func (rq *request) query(known ...string) (url.Values, error) {
	if rq.URL.RawQuery == "" {
		return nil, nil
	}
	// A pair that does not parse is left out, as in upstream's framework.
	values, _ := url.ParseQuery(rq.URL.RawQuery)
	for _, list := range values {
		if slices.ContainsFunc(list, hasNUL) {
			return nil, errNUL
		}
	}
	for _, name := range known {
		check, v := argumentTypes[rq.route.path+"?"+name], values.Get(name)
		if check == nil {
			check = argumentTypes[name]
		}
		if check != nil && v != "" {
			if err := check(name, v); err != nil {
				return nil, err
			}
		}
	}
	return values, unknownArguments(values, known)
}

func unknownArguments(values url.Values, known []string) error {
	var unknown []string
	for name := range values {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return badRequest("Unknown argument: \"%s\"", strings.Join(unknown, ", "))
}

// argumentTypes are the query's arguments that are not plain text. A path goes
// before the name of one that is of another type there.
var argumentTypes = map[string]func(name, v string) error{
	"limit":          intArgument,
	"/quotas?marker": intArgument,
	"marker": func(name, v string) error {
		if !isUUID(v) {
			return badMarker(name, v)
		}
		return nil
	},
	"rollback":    boolArgument,
	"all_tenants": boolArgument,
}

func intArgument(name, v string) error {
	if _, err := strconv.Atoi(strings.TrimSpace(v)); err != nil && !errors.Is(err, strconv.ErrRange) {
		return invalid(name, v, "unable to convert to int. Error: invalid literal for int() with base 10: "+quote(v))
	}
	return nil
}

func boolArgument(name, v string) error {
	if _, ok := magnum.ParseBool(v); !ok {
		return invalid(name, v, "unable to convert to boolean. Error: "+notBool(v))
	}
	return nil
}

// content reads the body and names its type. Form data become arguments, and
// nothing here takes any from a form.
func (rq *request) content() ([]byte, error) {
	if rq.Body == nil || rq.ContentLength == 0 {
		return nil, nil
	}
	body, err := io.ReadAll(rq.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, err
		}
		if cause := rq.Context().Err(); cause != nil {
			return nil, cause
		}
		return nil, &magnum.Error{Kind: magnum.Invalid, Message: "The request body could not be read.", Cause: err}
	}
	if len(body) == 0 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(rq.Header.Get("Content-Type"))
	if err != nil {
		kind, _, _ = strings.Cut(rq.Header.Get("Content-Type"), ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	switch kind {
	case "application/json", "text/javascript", "application/javascript":
		return body, nil
	case "", "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body))
		if err := unknownArguments(form, nil); err != nil {
			return nil, err
		}
		return nil, nil
	}
	return nil, &httpError{status: http.StatusUnsupportedMediaType, code: "client", detail: "Unknown mimetype: " + kind}
}

// noBody accepts an empty body, and a JSON object of arguments that the query
// could carry too, in effect {}.
func (rq *request) noBody(known []string) error {
	body, err := rq.content()
	if err != nil || body == nil {
		return err
	}
	v, err := parseJSON(body)
	if err != nil {
		return err
	}
	if v.kind != object {
		return badRequest("Request must be a JSON dict")
	}
	var names []string
	for _, m := range v.members {
		if !slices.Contains(known, m.name) {
			names = append(names, m.name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		return badRequest("Unknown argument: \"%s\"", strings.Join(names, ", "))
	}
	return nil
}

func badMarker(name, v string) error {
	return invalid(name, v, "unable to convert to uuid. Error: Expected a uuid but received "+v+".")
}
