package apitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Exchange is a request with its answer.
type Exchange struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte

	Status       int
	AnswerHeader http.Header
	Answer       []byte
}

// Check returns what of an exchange is not as the document has it. Every
// answer must be described. A request must be if it succeeds: what is refused
// may be wrong in any way.
func (d *Document) Check(x *Exchange) error { return d.check(x, true) }

// CheckAnswer leaves out the request, for those that are odd on purpose: there
// are more ways to write a number or a truth value than are worth describing.
func (d *Document) CheckAnswer(x *Exchange) error { return d.check(x, false) }

func (d *Document) check(x *Exchange, whole bool) error {
	if x.Method == http.MethodOptions {
		// Answered before any path is looked at; there is nothing to it.
		if x.Status != http.StatusOK || len(x.Answer) > 0 {
			return x.fail(fmt.Errorf("OPTIONS is answered %d %s", x.Status, x.Answer))
		}
		return nil
	}
	e, err := d.at(x.version())
	if err != nil {
		return err
	}
	method, path := x.Method, canonical(x.Path)
	if path == healthcheck && method != http.MethodHead {
		method = http.MethodGet // as which every other method counts there
	}
	op, item, found := e.operation(method, path)
	if !found {
		return x.fail(e.checkLost(x))
	}
	response := e.step(op, "responses", strconv.Itoa(x.Status))
	if response.node == nil {
		return x.fail(fmt.Errorf("status %d is not described", x.Status))
	}
	problems := []error{e.checkAnswer(x, response)}
	if whole && x.Status < http.StatusBadRequest {
		problems = append(problems, e.checkRequest(x, op, item))
	}
	return x.fail(errors.Join(problems...))
}

func (x *Exchange) fail(err error) error {
	if err == nil {
		return nil
	}
	target := x.Path
	if x.Query != "" {
		target += "?" + x.Query
	}
	return fmt.Errorf("%s %s at 1.%d %s: %d %.600s\nis not as docs/api/openapi.yaml has it: %w",
		x.Method, target, x.version(), bytes.TrimSpace(x.Body), x.Status, x.Answer, err)
}

const versionHeader = "Openstack-Api-Version"

var (
	minor  = regexp.MustCompile(`^\S+ 1\.([0-9]+)$`)
	latest = regexp.MustCompile(`(?i)\slatest\s*$`)
)

// version is the one that the answer says it is of, or else the one that was
// asked for. Where there is neither, the newest has all errors that there are.
func (x *Exchange) version() int {
	for _, header := range []string{x.AnswerHeader.Get(versionHeader), x.Header.Get(versionHeader)} {
		if found := minor.FindStringSubmatch(header); found != nil {
			if n, err := strconv.Atoi(found[1]); err == nil && n >= 1 && n <= Newest {
				return n
			}
		}
	}
	if asked := x.Header.Get(versionHeader); asked == "" && x.AnswerHeader.Get(versionHeader) == "" || !latest.MatchString(asked) {
		return 1
	}
	return Newest
}

const healthcheck = "/healthcheck"

// canonical is the path under which the document has it.
func canonical(path string) string {
	var segments []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			segments = append(segments, s)
		}
	}
	switch {
	case len(segments) == 0:
		return "/"
	case segments[0] == "healthcheck":
		return healthcheck
	case segments[0] != "v1":
		segments = slices.Insert(segments, 0, "v1")
	}
	return "/" + strings.Join(segments, "/")
}

// lost are the answers where there is no such operation.
var lost = map[int]string{
	http.StatusBadRequest: "BadRequest", http.StatusUnauthorized: "Unauthorized", http.StatusNotFound: "NotFound",
	http.StatusMethodNotAllowed: "MethodNotAllowed", http.StatusNotAcceptable: "NotAcceptable", http.StatusServiceUnavailable: "Unavailable",
	http.StatusInternalServerError: "Failure",
}

func (e *edition) checkLost(x *Exchange) error {
	name, ok := lost[x.Status]
	if !ok {
		return errors.New("there is no such operation")
	}
	return e.checkAnswer(x, e.part("components", "responses", name))
}

func (e *edition) checkAnswer(x *Exchange, response part) error {
	problems := []error{e.checkHeaders(x, response)}
	content := e.step(response, "content")
	switch {
	case x.Method == http.MethodHead:
	case content.node == nil && len(x.Answer) > 0:
		problems = append(problems, errors.New("the answer has a body"))
	case content.node != nil:
		problems = append(problems, e.checkContent("answer", content, x.AnswerHeader, x.Answer))
	}
	return errors.Join(problems...)
}

// plumbing are headers of HTTP itself, and of CORS where an operator turned it
// on.
var plumbing = []string{"Content-Type", "Content-Length", "Date", "Connection"}

func (e *edition) checkHeaders(x *Exchange, response part) error {
	var problems []error
	described := e.step(response, "headers")
	known := map[string]bool{}
	for name := range described.node {
		header := e.step(described, name)
		value := x.AnswerHeader.Get(name)
		known[http.CanonicalHeaderKey(name)] = true
		switch {
		case value != "":
			if err := e.validate(e.step(header, "schema"), value); err != nil {
				problems = append(problems, fmt.Errorf("header %s: %w", name, err))
			}
		case header.node["required"] == true && len(x.AnswerHeader.Values(name)) == 0:
			problems = append(problems, fmt.Errorf("header %s is missing", name))
		}
	}
	for name := range x.AnswerHeader {
		if !known[name] && described.node != nil && !slices.Contains(plumbing, name) && !strings.HasPrefix(name, "Access-Control-") {
			problems = append(problems, fmt.Errorf("header %s is not described", name))
		}
	}
	return errors.Join(problems...)
}

func (e *edition) checkContent(what string, content part, header http.Header, body []byte) error {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("type of the %s: %w", what, err)
	}
	schema := e.step(content, kind, "schema")
	if schema.node == nil {
		return fmt.Errorf("the %s is %s, which is not described", what, kind)
	}
	var value any = string(body)
	if kind == "application/json" {
		if value, err = jsonschema.UnmarshalJSON(bytes.NewReader(body)); err != nil {
			return fmt.Errorf("the %s is broken JSON: %w", what, err)
		}
	}
	if err := e.validate(schema, value); err != nil {
		return fmt.Errorf("the %s: %w", what, err)
	}
	return nil
}

func (e *edition) checkRequest(x *Exchange, op, item part) error {
	problems := []error{e.checkParameters(x, op, item)}
	if _, open := op.node["security"]; !open && x.Header.Get("X-Auth-Token") == "" {
		problems = append(problems, errors.New("a request without a token succeeds"))
	}
	body := e.step(op, "requestBody")
	switch {
	case body.node == nil:
		problems = append(problems, e.checkNoBody(x))
	case len(x.Body) > 0:
		header := x.Header
		if kind := header.Get("Content-Type"); strings.HasSuffix(kind, "/javascript") {
			header = http.Header{"Content-Type": {"application/json"}} // taken as the same
		}
		problems = append(problems, e.checkContent("request", e.step(body, "content"), header, x.Body))
	case body.node["required"] == true:
		problems = append(problems, errors.New("a request without a body succeeds"))
	}
	return errors.Join(problems...)
}

// checkNoBody lets an empty object pass, which some clients send.
func (e *edition) checkNoBody(x *Exchange) error {
	if len(x.Body) == 0 || canonical(x.Path) == healthcheck {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal(x.Body, &members); err != nil || len(members) > 0 {
		return fmt.Errorf("a request with the body %.200s succeeds", x.Body)
	}
	return nil
}

func (e *edition) checkParameters(x *Exchange, op, item part) error {
	var problems []error
	values, _ := url.ParseQuery(x.Query) // a pair that does not parse is left out
	known := map[string]bool{}
	for _, owner := range []part{item, op} {
		list, _ := owner.node["parameters"].([]any)
		for i := range list {
			p := e.parameter(owner, list[i], i)
			name, _ := p.node["name"].(string)
			text := ""
			switch p.node["in"] {
			case "query":
				known[name] = true
				text = values.Get(name)
			case "header":
				text = x.Header.Get(name)
			}
			if text == "" {
				continue
			}
			if err := e.checkText(e.step(p, "schema"), text); err != nil {
				problems = append(problems, fmt.Errorf("parameter %s: %w", name, err))
			}
		}
	}
	for name := range values {
		if !known[name] && canonical(x.Path) != healthcheck {
			problems = append(problems, fmt.Errorf("parameter %s is not described", name))
		}
	}
	return errors.Join(problems...)
}

func (e *edition) parameter(owner part, item any, i int) part {
	node, _ := item.(map[string]any)
	if ref, ok := node["$ref"].(string); ok {
		found, pointer := find(e.root, ref)
		return part{found, pointer}
	}
	return part{node, owner.pointer + "/parameters/" + strconv.Itoa(i)}
}

// checkText holds the text of a parameter to its schema, as a number where a
// number is wanted.
func (e *edition) checkText(schema part, text string) error {
	if schema.node["type"] == "integer" {
		n := strings.TrimPrefix(strings.TrimSpace(text), "+")
		if strings.Trim(n, "-0123456789") != "" {
			return fmt.Errorf("%q is no whole number", text)
		}
		return e.validate(schema, json.Number(n))
	}
	return e.validate(schema, text)
}
