package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Parameter feeds one parameter of the main template, or one that both main
// templates have. Where its source has nothing the parameter is not sent, and
// the template's default holds.
type Parameter struct {
	Name string
	// In is the stack whose template declares the parameter; "" is both.
	In   Stack
	From Source
	// Required refuses a cluster for which the source has nothing.
	Required bool
	When     Condition
	// Refuse says what stands against the parameter once the endpoints are
	// known, which Checks do not see.
	Refuse func(*Values) []driver.Violation
}

// Source says where a parameter's value comes from. Make one with [Cluster],
// [Template], [Masters], [Workers], [Endpoint], [LabelOf], [ListOf],
// [ClusterOutput], [Secret], [Const] or [Computed].
type Source struct {
	about string
	// early says that the value is known before the endpoints are, so that
	// Validate can miss it.
	early bool
	value func(*Values) (driver.Parameter, bool)
	check func(*Definition) error
	// output is the one of the cluster's stack that the source reads.
	output string
}

// String says what the source is, for people.
func (s Source) String() string { return s.about }

// Cluster reads a field of driver.Cluster, by its Go name. Numbers that are
// zero are unset.
func Cluster(field string) Source {
	return fieldOf[driver.Cluster]("cluster", field, true, func(v *Values) any { return v.Cluster })
}

// Template reads a field of driver.ClusterTemplate.
func Template(field string) Source {
	return fieldOf[driver.ClusterTemplate]("template", field, true, func(v *Values) any { return v.Template })
}

// Masters reads a field of the default master group; counts are sent even
// where they are 0.
func Masters(field string) Source {
	return fieldOf[driver.NodeGroup]("masters", field, true, func(v *Values) any { return v.Masters() })
}

// Workers reads a field of the worker group whose nodes the stack makes, which
// in a node group's own stack is that group, as Masters does.
func Workers(field string) Source {
	return fieldOf[driver.NodeGroup]("workers", field, true, func(v *Values) any { return v.Workers() })
}

// Endpoint reads a field of driver.Endpoints.
func Endpoint(field string) Source {
	return fieldOf[driver.Endpoints]("endpoint", field, false, func(v *Values) any { return v.Endpoints })
}

// LabelOf is a label's value or default.
func LabelOf(name string) Source {
	return Source{
		about: "label " + name, early: true,
		value: func(v *Values) (driver.Parameter, bool) { return plain(v.Label(name)) },
		check: func(d *Definition) error {
			for _, l := range d.Labels {
				if l.Name == name {
					return nil
				}
			}
			return fmt.Errorf("label %s is not declared", name)
		},
	}
}

// ListOf is a label with commas as a JSON list, for a parameter of type json.
func ListOf(name string) Source {
	s := LabelOf(name)
	s.about = "list label " + name
	s.value = func(v *Values) (driver.Parameter, bool) {
		if v.Label(name) == "" {
			return driver.Parameter{}, false
		}
		return plain(JSON(v.LabelList(name)))
	}
	return s
}

// ClusterOutput is an output of the cluster's own stack, for the stack of a
// node group. A text or a number is passed on as it is, a list or a map as
// JSON. Where it is Required, a cluster whose stack is of an older version of
// the driver, and has no such output, is refused with the way out.
func ClusterOutput(name string) Source {
	return Source{
		about: "cluster output " + name, output: name,
		value: func(v *Values) (driver.Parameter, bool) {
			raw := bytes.TrimSpace(v.ClusterOutputs[name])
			if len(raw) == 0 || string(raw) == "null" {
				return driver.Parameter{}, false
			}
			if s, err := plainText(raw); err == nil {
				return plain(s)
			}
			return driver.Value(string(raw)), true
		},
	}
}

// Secret is filled in by the core.
func Secret(ref driver.SecretRef) Source {
	return Source{about: "secret " + string(ref), value: func(*Values) (driver.Parameter, bool) {
		return driver.Secret(ref), true
	}}
}

// Const is always the same.
func Const(s string) Source {
	return Source{about: "constant", early: true, value: func(*Values) (driver.Parameter, bool) {
		return driver.Value(s), true
	}}
}

// Computed is made from the whole request. An empty text is not sent. The
// function must depend on nothing but its argument.
func Computed(about string, f func(*Values) string) Source {
	return Source{about: about, value: func(v *Values) (driver.Parameter, bool) { return plain(f(v)) }}
}

// Early says of a computed source that it needs no endpoints, so that Validate
// can already miss it.
func (s Source) Early() Source {
	s.early = true
	return s
}

// JSON is a value's JSON text, for parameters of type json. What cannot be
// written so, such as a channel, gives null.
func JSON(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(b)
}

func plain(s string) (driver.Parameter, bool) { return driver.Value(s), s != "" }

func fieldOf[T any](what, field string, early bool, get func(*Values) any) Source {
	typ := reflect.TypeFor[T]()
	return Source{
		about: what + " " + field, early: early,
		value: func(v *Values) (driver.Parameter, bool) {
			f := reflect.ValueOf(get(v)).FieldByName(field)
			if !f.IsValid() {
				v.fail("%s has no field %s", typ.Name(), field)
				return driver.Parameter{}, false
			}
			return plain(text(f, field))
		},
		check: func(*Definition) error {
			f, ok := typ.FieldByName(field)
			if !ok {
				return fmt.Errorf("%s has no field %s", typ.Name(), field)
			}
			switch f.Type.Kind() {
			case reflect.String, reflect.Int, reflect.Bool:
				return nil
			}
			return fmt.Errorf("%s.%s is a %s, which no parameter can hold", typ.Name(), field, f.Type)
		},
	}
}

// text is a field as Heat reads it; "" is unset.
func text(f reflect.Value, name string) string {
	switch f.Kind() {
	case reflect.String:
		return f.String()
	case reflect.Bool:
		return strconv.FormatBool(f.Bool())
	case reflect.Int:
		if f.Int() == 0 && name != "NodeCount" && name != "MinNodeCount" {
			return ""
		}
		return strconv.FormatInt(f.Int(), 10)
	}
	return ""
}

// parameters are the values for the main template of the request's stack.
func (d *Definition) parameters(v *Values) (map[string]driver.Parameter, error) {
	out := make(map[string]driver.Parameter, len(d.Parameters))
	for _, p := range d.Parameters {
		if !p.In.holds(v) || !p.When.holds(v) {
			continue
		}
		value, ok := p.read(v)
		if err := v.err(); err != nil {
			return nil, err
		}
		if p.Refuse != nil {
			if bad := p.Refuse(v); len(bad) > 0 {
				return nil, driver.Errorf(bad[0].Class, "%s", bad[0].Message)
			}
		}
		if ok {
			out[p.Name] = value
		} else if p.Required {
			return nil, p.absent()
		}
	}
	return out, nil
}

// read asks the source. A parameter without one is the author's slip.
func (p Parameter) read(v *Values) (driver.Parameter, bool) {
	if p.From.value == nil {
		v.fail("parameter %s has no source", p.Name)
		return driver.Parameter{}, false
	}
	return p.From.value(v)
}

// absent is the error of a required parameter whose source has nothing.
func (p Parameter) absent() error {
	if p.From.output != "" {
		return driver.Errorf(driver.ClassPrecondition, "The cluster's stack has no output %s, which its node groups need: "+
			"it was made by an older version of the driver. Update the cluster first; any resize of it does that, "+
			"also one to the number of nodes it has.", p.From.output)
	}
	return driver.Errorf(driver.ClassInvalidInput, "%s", missing(p.Name))
}

func missing(parameter string) string { return "Required parameter " + parameter + " not provided." }
