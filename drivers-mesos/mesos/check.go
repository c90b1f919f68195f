package mesos

import (
	"encoding/json"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// imageProviders refuses image providers of agents that isolate nothing: they
// would do nothing.
func imageProviders(v *template.Values) []driver.Violation {
	if v.Label(providers) == "" || v.Label(isolation) != "" {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "labels/"+providers, "The label %s needs the label %s.", providers, isolation)
}

// environment refuses what no agent could read as the environment of its
// executors.
func environment(v *template.Values) []driver.Violation {
	text := v.Label(variables)
	if text == "" {
		return nil
	}
	var env map[string]string
	if err := json.Unmarshal([]byte(text), &env); err != nil {
		return template.Refuse(driver.ClassInvalidInput, "labels/"+variables,
			"property %q with value %q is not supported, expecting a JSON object of texts", "labels/"+variables, text)
	}
	return nil
}
