package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// CheckConfig holds an operator's configuration, a JSON object, against the
// driver's schema. Its errors name places and never values, which may be secret.
func (p Package) CheckConfig(config []byte) error {
	if err := checkConfig(p.Description.ConfigSchema, config); err != nil {
		return refuse(ErrConfig, "driver %s: %w", p, err)
	}
	return nil
}

func checkConfig(schema, config []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil {
		return errors.New("the configuration is not valid JSON")
	}
	if _, ok := value.(map[string]any); !ok {
		return errors.New("the configuration is not a JSON object")
	}
	if len(schema) == 0 {
		return errors.New("it takes no configuration")
	}
	const name = "config-schema.json"
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fmt.Errorf("the driver's config_schema is not valid JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(noLoader{})
	if err := compiler.AddResource(name, document); err != nil {
		return fmt.Errorf("the driver's config_schema: %w", err)
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return fmt.Errorf("the driver's config_schema is not a JSON Schema: %w", err)
	}
	err = compiled.Validate(value)
	if invalid := (*jsonschema.ValidationError)(nil); errors.As(err, &invalid) {
		return fmt.Errorf("the configuration does not fit the driver's config_schema at %s",
			strings.Join(slices.Compact(slices.Sorted(slices.Values(places(invalid)))), ", "))
	}
	return err
}

// places lists where in the configuration the innermost faults are.
func places(e *jsonschema.ValidationError) []string {
	if len(e.Causes) == 0 {
		return []string{"/" + strings.Join(e.InstanceLocation, "/")}
	}
	var all []string
	for _, cause := range e.Causes {
		all = append(all, places(cause)...)
	}
	return all
}

// noLoader keeps a schema from reading anything beyond itself.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("references to %s are not allowed in a driver's schema", url)
}
