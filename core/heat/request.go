package heat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Request is a stack as it shall be.
type Request struct {
	// Name is the stack's. It must be saved before Ensure is called.
	Name string
	// Stack is what the driver rendered.
	Stack driver.RenderResponse
	// Secret gives the secrets that the parameters refer to.
	Secret func(context.Context, driver.SecretRef) (string, error)
	// TimeoutMinutes is Heat's own limit for the whole; 0 leaves it to Heat.
	TimeoutMinutes int
	// Rollback makes Heat undo an update that fails.
	Rollback bool
}

// body builds what Heat is sent, and lists the secrets in it, so that they can
// be taken out of error texts.
func (r Request) body(ctx context.Context) (map[string]any, []string, error) {
	types, err := parameterTypes(r.Stack.Template)
	if err != nil {
		return nil, nil, err
	}
	params := map[string]any{}
	var secrets []string
	for _, name := range slices.Sorted(maps.Keys(r.Stack.Parameters)) {
		p := r.Stack.Parameters[name]
		if p.Secret == "" {
			params[name] = parameterValue(types[name], p.Value)
			continue
		}
		value, err := r.Secret(ctx, p.Secret)
		if err != nil {
			return nil, nil, fmt.Errorf("fill in parameter %s: %w", name, err)
		}
		params[name] = value
		secrets = append(secrets, value)
	}
	environment, err := mergeEnvironments(r.Stack.Environments)
	if err != nil {
		return nil, nil, err
	}
	b := map[string]any{
		"template": r.Stack.Template, "parameters": params, "environment": environment,
		"disable_rollback": !r.Rollback,
	}
	if len(r.Stack.Files) > 0 {
		b["files"] = r.Stack.Files
	}
	if r.TimeoutMinutes > 0 {
		b["timeout_mins"] = r.TimeoutMinutes
	}
	if len(r.Stack.Tags) > 0 {
		b["tags"] = strings.Join(r.Stack.Tags, ",")
	}
	return b, secrets, nil
}

// parameterTypes reads the declared types: Heat takes a list only as a list,
// never as the JSON text of one.
func parameterTypes(template string) (map[string]string, error) {
	var t struct {
		Parameters map[string]struct {
			Type string `yaml:"type"`
		} `yaml:"parameters"`
	}
	if err := yaml.Unmarshal([]byte(template), &t); err != nil {
		return nil, &magnum.Error{Kind: magnum.Invalid, Message: "The driver's template is not YAML.", Cause: err}
	}
	types := make(map[string]string, len(t.Parameters))
	for name, p := range t.Parameters {
		types[name] = p.Type
	}
	return types, nil
}

func parameterValue(kind, value string) any {
	structured := kind == "json" || kind == "comma_delimited_list"
	if structured && (strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{")) && json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	return value
}

// mergeEnvironments does what Heat's client does with several environment
// files: maps are merged, for everything else the later one wins.
func mergeEnvironments(texts []string) (map[string]any, error) {
	all := map[string]any{}
	for _, text := range texts {
		var one map[string]any
		if err := yaml.Unmarshal([]byte(text), &one); err != nil {
			return nil, &magnum.Error{Kind: magnum.Invalid, Message: "An environment of the driver is not YAML.", Cause: err}
		}
		merge(all, one)
	}
	return all, nil
}

func merge(into, from map[string]any) {
	for k, v := range from {
		inner, isMap := v.(map[string]any)
		have, both := into[k].(map[string]any)
		if isMap && both {
			merge(have, inner)
			continue
		}
		into[k] = v
	}
}
