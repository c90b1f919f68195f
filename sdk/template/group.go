package template

import (
	"fmt"

	"github.com/go-magnum/magnum/sdk/driver"
)

// In makes parameters those of one stack alone.
func In(s Stack, list []Parameter) []Parameter {
	for i := range list {
		list[i].In = s
	}
	return list
}

// SameAsLabels are parameters that have a label's name and value.
func SameAsLabels(names ...string) []Parameter {
	return each(names, func(name string) Parameter { return Parameter{Name: name, From: LabelOf(name)} })
}

// FromCluster are parameters of the stack of a node group that have the name
// and the value of an output of the cluster's.
func FromCluster(names ...string) []Parameter {
	return each(names, func(name string) Parameter {
		return Parameter{Name: name, In: NodeGroupStack, From: ClusterOutput(name), Required: true}
	})
}

func each(names []string, one func(string) Parameter) []Parameter {
	var out []Parameter
	for _, name := range names {
		out = append(out, one(name))
	}
	return out
}

// LabelOr is a label's value or default, and without either what the operator
// has set.
func LabelOr(label string, operators func(driver.Endpoints) string) Source {
	return Computed("label "+label+", or the operator's", func(v *Values) string {
		if s := v.Label(label); s != "" {
			return s
		}
		return operators(v.Endpoints)
	})
}

// Refuse is what a check answers when it finds something.
func Refuse(class driver.Class, field, format string, a ...any) []driver.Violation {
	return []driver.Violation{{Field: field, Message: fmt.Sprintf(format, a...), Class: class}}
}

// DriverName is the name of the driver that is asked, for texts.
func (v *Values) DriverName() string { return v.definition.Name }
