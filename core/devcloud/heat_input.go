package devcloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/go-magnum/magnum/sdk/hot"
)

// heatBody is the type of the key under which a request carries its body.
type heatBody struct{}

func withBody(ctx context.Context, body map[string]json.RawMessage) context.Context {
	return context.WithValue(ctx, heatBody{}, body)
}

func bodyOf(ctx context.Context) map[string]json.RawMessage {
	body, _ := ctx.Value(heatBody{}).(map[string]json.RawMessage)
	return body
}

// stackInput is what a client sent to make a stack, merged over its updates.
type stackInput struct {
	template    string
	files       map[string]string
	environment *hot.Environment
}

var (
	errNoTemplate = errors.New("No template specified")
	errNoName     = errors.New("No stack name specified")
)

// readInput reads the parts of a body that make up a stack. With no template it
// answers with an empty one.
func readInput(body map[string]json.RawMessage) (*stackInput, error) {
	in := &stackInput{files: map[string]string{}}
	in.template = textOrRaw(body["template"])
	if raw := body["files"]; present(raw) {
		if err := json.Unmarshal(raw, &in.files); err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
	}
	var err error
	if in.environment, err = hot.NewEnvironment(nil); err != nil {
		return nil, err
	}
	if raw := body["environment_files"]; present(raw) {
		var names []string
		if err := json.Unmarshal(raw, &names); err != nil {
			return nil, fmt.Errorf("environment_files: %w", err)
		}
		for _, name := range names {
			if err := in.merge(in.files[name]); err != nil {
				return nil, err
			}
		}
	}
	if err := in.merge(textOrRaw(body["environment"])); err != nil {
		return nil, err
	}
	if raw := body["parameters"]; present(raw) {
		v, err := decodeValue(raw)
		if err != nil {
			return nil, err
		}
		params, ok := v.(map[string]any)
		if !ok {
			return nil, errors.New("Unexpected parameters in request")
		}
		maps.Copy(in.environment.Parameters, params)
	}
	return in, nil
}

func (in *stackInput) merge(text string) error {
	env, err := hot.ParseEnvironment(text)
	if err != nil {
		return err
	}
	in.environment.Merge(env)
	return nil
}

// over lays an update that keeps what there is over what there is. Parameters
// that the template does not declare are dropped, as Heat drops them.
func (in *stackInput) over(old *stackInput, cleared []string) error {
	if in.template == "" {
		in.template = old.template
	}
	files := maps.Clone(old.files)
	maps.Copy(files, in.files)
	in.files = files
	env := old.environment.Clone()
	for _, name := range cleared {
		delete(env.Parameters, name)
	}
	env.Merge(in.environment)
	in.environment = env
	t, err := hot.Parse("[root stack]", []byte(in.template))
	if err != nil {
		return err
	}
	for name := range env.Parameters {
		if t.Parameters[name] == nil {
			delete(env.Parameters, name)
		}
	}
	return nil
}

// load parses the input.
func (in *stackInput) load() (*hot.Stack, error) {
	size := len(in.template)
	for name, body := range in.files {
		size += len(name) + len(body)
	}
	if size > hot.MaxStackBytes {
		return nil, &hot.Error{Kind: hot.KindLimit, Message: fmt.Sprintf("Request limit exceeded: %d bytes of template and files", size)}
	}
	t, err := hot.Parse("[root stack]", []byte(in.template))
	if err != nil {
		return nil, err
	}
	return hot.New(t, in.files, in.environment), nil
}

func present(raw json.RawMessage) bool {
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// textOrRaw is a JSON text's content, or other JSON as it stands: JSON is YAML.
func textOrRaw(raw json.RawMessage) string {
	if !present(raw) {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func decodeValue(raw json.RawMessage) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return hot.Normalize(v), nil
}

// decodeObject is decodeValue for a whole body.
func decodeObject(body map[string]json.RawMessage) (map[string]any, error) {
	out := make(map[string]any, len(body))
	for k, raw := range body {
		v, err := decodeValue(raw)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

// optionBool reads a boolean option, which clients also send as text.
func optionBool(raw json.RawMessage, or bool) (bool, error) {
	if !present(raw) {
		return or, nil
	}
	switch s := strings.ToLower(textOrRaw(raw)); s {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, fmt.Errorf("Unrecognized value '%s', acceptable values are: true, false", s)
	}
}

func readTags(raw json.RawMessage) ([]string, error) {
	if !present(raw) {
		return nil, nil
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, ","), nil
}
