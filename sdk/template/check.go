package template

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/hot"
)

// Check is for an author's tests. It looks for what would only fail in
// somebody's cloud: first at the definition itself, then at the stack of each
// request. A request should be there for every option that changes which
// templates, fragments or parameters take part, also of a node group with a
// stack of its own where the driver has them.
//
// Of each stack it asks that every parameter sent is declared and every
// required one sent, in nested templates too; that every declared parameter is
// used, and one of the main template also fed; that secrets go into hidden
// parameters only; that outputs exist, in the cluster's stack also those that
// node groups read; and what package hot finds.
func (d *Definition) Check(reqs ...driver.RenderRequest) []error {
	errs := d.checkSelf()
	for i, req := range reqs {
		for _, err := range d.checkStack(req) {
			errs = append(errs, fmt.Errorf("request %d: %w", i, err))
		}
	}
	return errs
}

func (d *Definition) checkSelf() []error {
	var errs []error
	say := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if d.Name == "" {
		say("the definition has no name")
	}
	if len(d.Types) == 0 {
		say("the definition has no cluster types, so no template could select it")
	}
	if _, err := d.Describe(context.Background(), driver.DescribeRequest{}); err != nil {
		errs = append(errs, err)
	}
	seen := map[string]bool{}
	for _, l := range d.Labels {
		if seen[l.Name] {
			say("label %s is declared twice", l.Name)
		}
		seen[l.Name] = true
		if l.Description == "" {
			say("label %s has no description", l.Name)
		}
		if _, err := regexp.Compile(l.Pattern); err != nil {
			say("label %s: %w", l.Name, err)
		}
	}
	for i, p := range d.Parameters {
		// Two sources for one parameter are fine where conditions choose.
		if p.When == nil && slices.ContainsFunc(d.Parameters[:i], func(q Parameter) bool {
			return p.Name == q.Name && (p.In == q.In || p.In == "" || q.In == "")
		}) {
			say("parameter %s is declared twice", p.Name)
		}
		if p.From.output != "" && p.In != NodeGroupStack {
			say("parameter %s reads an output of the cluster's stack, but is not of NodeGroupStack alone", p.Name)
		}
		if p.From.value == nil {
			say("parameter %s has no source", p.Name)
		} else if p.From.check != nil {
			if err := p.From.check(d); err != nil {
				say("parameter %s: %w", p.Name, err)
			}
		}
	}
	if has := slices.Contains(d.Capabilities, driver.CapNodeGroups); has != (d.NodeGroupMain != "") {
		say("the capability %s and NodeGroupMain go together", driver.CapNodeGroups)
	}
	for _, o := range d.Outputs {
		if !slices.Contains(targets(), o.To) {
			say("output %s goes to %q, which is no target", o.source(), o.To)
		}
	}
	r, err := newRenderer(d, d.Values(driver.RenderRequest{}))
	if err != nil {
		return append(errs, err)
	}
	names := r.names()
	for _, script := range slices.Sorted(maps.Keys(d.Scripts)) {
		for _, f := range d.Scripts[script] {
			if !slices.Contains(names, f.File) {
				say("fragment %s of script %s: there is no file %s", f.Name, script, f.File)
			}
		}
	}
	for _, e := range d.Environments {
		if !slices.Contains(names, e.File) {
			say("environment: there is no file %s", e.File)
		}
	}
	return errs
}

func (d *Definition) checkStack(req driver.RenderRequest) []error {
	out, err := d.Render(context.Background(), req)
	if err != nil {
		return []error{err}
	}
	stack, err := hot.Load(out.Template, out.Files, out.Environments)
	if err != nil {
		return []error{err}
	}
	main, v := stack.Template, d.Values(req)
	var errs []error
	params := make(map[string]any, len(out.Parameters))
	for name, p := range out.Parameters {
		params[name] = p.Value
		if p.Secret == "" {
			continue
		}
		params[name] = "secret"
		if declared := main.Parameters[name]; declared != nil && !declared.Hidden {
			errs = append(errs, fmt.Errorf("parameter %s holds a secret but is not hidden", name))
		}
	}
	errs = append(errs, stack.Check(params)...)
	for _, f := range stack.Lint() {
		errs = append(errs, errors.New(f.String()))
	}
	for _, name := range main.ParameterNames() {
		if !slices.ContainsFunc(d.Parameters, func(p Parameter) bool { return p.Name == name && p.In.holds(v) }) {
			errs = append(errs, fmt.Errorf("parameter %s is declared but nothing feeds it", name))
		}
	}
	for _, p := range d.Parameters {
		if p.From.output != "" && !v.OwnStack() && main.Outputs[p.From.output] == nil {
			errs = append(errs, fmt.Errorf("the template has no output %s, which parameter %s of a node group reads", p.From.output, p.Name))
		}
	}
	for _, o := range d.Outputs {
		switch {
		case !o.To.in(v.stack()) || !o.When.holds(v):
		case o.Stack != "" && main.Outputs[o.Stack] == nil:
			errs = append(errs, fmt.Errorf("the template has no output %s", o.Stack))
		case o.Parameter != "" && main.Parameters[o.Parameter] == nil:
			errs = append(errs, fmt.Errorf("the template has no parameter %s to read back", o.Parameter))
		}
	}
	return errs
}
