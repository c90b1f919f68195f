package main

import (
	"bytes"
	"fmt"
	"strings"
)

type page struct {
	root node
	out  bytes.Buffer
}

// operation is a method of a path.
type operation struct {
	method, path string
	node, item   node
}

func (o operation) anchor() string { return strings.ToLower(o.node.text("operationId")) }

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.out, format+"\n", args...)
}

func (p *page) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	p.line("| %s |", strings.Join(cells, " | "))
}

func (p *page) header(cells ...string) {
	p.line("")
	p.row(cells...)
	p.line("|%s", strings.Repeat("---|", len(cells)))
}

func (p *page) write() {
	p.line("<!-- Made from openapi.yaml by make generate; not to be edited. -->")
	p.line("# %s, API 1.1 to %s", p.root.text("info", "title"), p.root.text("info", "version"))
	p.line("")
	p.line("Made from [openapi.yaml](openapi.yaml), which programs read.")
	p.line("")
	p.line("%s", p.root.text("info", "description"))
	all := p.operations()
	p.header("operation", "what it does", "versions")
	for _, tag := range p.root.get("tags").items() {
		for _, o := range all {
			if o.node.texts("tags")[0] == tag.text("name") {
				p.row(fmt.Sprintf("[%s %s](#%s)", o.method, o.path, o.anchor()), o.node.text("summary"), span(o.node))
			}
		}
	}
	for _, tag := range p.root.get("tags").items() {
		name := tag.text("name")
		p.line("\n## %s", strings.ToUpper(name[:1])+name[1:])
		p.line("\n%s", sentence(tag.text("description")))
		for _, o := range all {
			if o.node.texts("tags")[0] == name {
				p.operation(o)
			}
		}
	}
	p.responses()
	p.schemas()
}

// span is the range of an operation in few words.
func span(n node) string {
	low, high := n.text("x-min-version"), n.text("x-max-version")
	switch {
	case low == "" && high == "":
		return "all"
	case high == "":
		return low + " and later"
	case low == "":
		return "up to " + high
	}
	return low + " to " + high
}

func (p *page) operations() []operation {
	var all []operation
	p.root.get("paths").each(func(path string, item node) {
		item.each(func(method string, n node) {
			if n.get("operationId").exists() {
				all = append(all, operation{strings.ToUpper(method), path, n, item})
			}
		})
	})
	return all
}

func (p *page) operation(o operation) {
	p.line("\n<a id=\"%s\"></a>\n### %s %s", o.anchor(), o.method, o.path)
	rule := ""
	if r := o.node.text("x-policy-rule"); r != "" {
		rule = "Rule `" + r + "`"
	}
	token := ""
	if o.node.get("security").exists() {
		token = "No token is needed"
	}
	p.line("\n%s", sentence(o.node.text("summary"), o.node.text("description"), versions(o.node), rule, token))
	rows := false
	for _, list := range []node{o.item.get("parameters"), o.node.get("parameters")} {
		for _, ref := range list.items() {
			v := p.follow(ref)
			if refName(ref) == "MicroVersion" {
				continue // told once for all
			}
			if !rows {
				p.header("parameter", "in", "value", "")
				rows = true
			}
			p.row("`"+v.text("name")+"`", v.text("in"), p.kind(v.get("schema")), sentence(v.text("description"), versions(v)))
		}
	}
	if body := o.node.get("requestBody"); body.exists() {
		need := ""
		if body.text("required") != "true" {
			need = " It may be left out."
		}
		p.line("\nBody: %s.%s", p.kind(body.get("content", "application/json", "schema")), need)
	}
	p.header("answer", "", "body")
	errors := []string{}
	o.node.get("responses").each(func(status string, ref node) {
		if status >= "400" && refName(ref) != "" && refName(ref) != "Disabled" {
			errors = append(errors, "["+status+"](#answer-"+strings.ToLower(refName(ref))+")")
			return
		}
		v := p.follow(ref)
		p.row(status, sentence(v.text("description"), versions(ref)), p.bodyOf(v))
	})
	if len(errors) > 0 {
		p.row(strings.Join(errors, " "), "Refusals.", "")
	}
}

func (p *page) bodyOf(response node) string {
	var all []string
	response.get("content").each(func(kind string, v node) {
		what := p.kind(v.get("schema"))
		if kind != "application/json" {
			what += " as " + kind
		}
		all = append(all, what)
	})
	return strings.Join(all, "; ")
}

// responses tells once for all what refusals look like.
func (p *page) responses() {
	p.line("\n## Refusals")
	p.header("status", "when", "body")
	seen := map[string]bool{}
	status := map[string]string{"MethodNotAllowed": "405"}
	for _, o := range p.operations() {
		o.node.get("responses").each(func(code string, ref node) { status[refName(ref)] = code })
	}
	p.root.get("components", "responses").each(func(name string, v node) {
		if code := status[name]; code >= "400" && name != "Disabled" && !seen[name] {
			seen[name] = true
			p.row(fmt.Sprintf(`<a id="answer-%s"></a>%s`, strings.ToLower(name), code), sentence(v.text("description")), p.bodyOf(v))
		}
	})
	p.line("\n## Headers of answers")
	p.header("header", "on", "")
	told := map[string]bool{}
	p.root.get("components", "responses").each(func(name string, v node) {
		v.get("headers").each(func(header string, ref node) {
			h := p.follow(ref)
			if told[header] || h.text("required") != "true" {
				return
			}
			told[header] = true
			on := "all that a resource gives"
			switch header {
			case "Location", "WWW-Authenticate", "Allow":
				on = status[name]
			case "X-OpenStack-Request-ID":
				on = "all but that of the healthcheck"
			}
			p.row("`"+header+"`", on, sentence(h.text("description")))
		})
	})
}

func (p *page) schemas() {
	p.line("\n## Values")
	p.root.get("components", "schemas").each(func(name string, s node) {
		p.line("\n<a id=\"value-%s\"></a>\n### %s", strings.ToLower(name), name)
		if d := s.text("description"); d != "" {
			p.line("\n%s", sentence(d))
		}
		if !s.get("properties").exists() {
			p.line("\n%s", sentence(p.kind(s)))
			return
		}
		p.header("member", "value", "required", "")
		p.members("", s)
		for _, example := range s.get("examples").items() {
			var all []string
			example.each(func(key string, v node) { all = append(all, fmt.Sprintf("%q: %s", key, quoted(v))) })
			p.line("\n    {%s}", strings.Join(all, ", "))
		}
	})
}

// quoted is a value of an example as JSON.
func quoted(n node) string {
	if n.Tag == "!!str" {
		return fmt.Sprintf("%q", n.Value)
	}
	return n.Value
}
