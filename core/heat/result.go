package heat

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

// hidden is what Heat shows in place of a hidden parameter.
const hidden = "******"

// Result is what a finished stack answers.
type Result struct {
	Outputs map[string]driver.RawJSON
	// Parameters are without the hidden ones and Heat's own (OS::…).
	Parameters map[string]string
}

// Outputs shows a stack with its outputs and parameters.
func (c *Client) Outputs(ctx context.Context, s Session, ref Ref) (Result, error) {
	ref, err := c.locate(ctx, s, ref)
	if err != nil {
		return Result{}, err
	}
	var show struct {
		Stack struct {
			Outputs []struct {
				Key   string          `json:"output_key"`
				Value json.RawMessage `json:"output_value"`
			}
			Parameters map[string]json.RawMessage
		}
	}
	if err := c.get(ctx, s, "outputs", "read the stack's outputs", ref.path()+"?resolve_outputs=True", &show); err != nil {
		return Result{}, err
	}
	r := Result{Outputs: map[string]driver.RawJSON{}, Parameters: map[string]string{}}
	for _, o := range show.Stack.Outputs {
		if len(o.Value) == 0 {
			o.Value = json.RawMessage("null") // it could not be evaluated
		}
		r.Outputs[o.Key] = driver.RawJSON(o.Value)
	}
	for name, raw := range show.Stack.Parameters {
		text := string(raw)
		if strings.HasPrefix(text, `"`) {
			if err := json.Unmarshal(raw, &text); err != nil {
				return Result{}, fmt.Errorf("read parameter %s of the stack: %w", name, err)
			}
		}
		if text != hidden && !strings.HasPrefix(name, "OS::") {
			r.Parameters[name] = text
		}
	}
	return r, nil
}
