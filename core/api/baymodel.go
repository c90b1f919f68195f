package api

import (
	"net/netip"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
)

// Bays and baymodels are clusters and templates under the names of old. Their
// routes end at lastBays, where upstream gave them up a release later; behind
// them works the same code.

// lastBays is the newest version that knows bays and baymodels.
const lastBays version = 10

// asOld makes a handler speak in the names of old.
func asOld(handle func(*request) (*answer, error)) func(*request) (*answer, error) {
	return func(rq *request) (*answer, error) {
		rq.old = true
		return handle(rq)
	}
}

// templateWords are the names by which templates go.
type templateWords struct {
	argument   string // a body, in texts
	collection string // in paths, links and lists
	publish    string // the policy's rule
	generated  string // how made up names end
	owner      bool   // project, user and driver are shown
	dialect    dialect
	attributes func(t *magnum.ClusterTemplate, coes []string) []attribute
}

var templateNames = templateWords{
	argument: "cluster_template", collection: "clustertemplates", publish: "clustertemplate:publish", generated: "template",
	owner: true, dialect: templateDialect, attributes: templateAttributes,
}

var baymodelNames = templateWords{
	argument: "baymodel", collection: "baymodels", publish: "baymodel:publish", generated: "model",
	dialect: dialect{
		internal:  append(slices.Clone(templateDialect.internal), "driver"),
		permanent: append(slices.Clone(templateDialect.permanent), "keypair_id"),
		literals:  templateDialect.literals,
	},
	attributes: baymodelAttributes,
}

func (rq *request) templateWords() *templateWords {
	if rq.old {
		return &baymodelNames
	}
	return &templateNames
}

// baymodelAttributes are a template's, some of them as they were before
// upstream widened them for templates.
func baymodelAttributes(t *magnum.ClusterTemplate, coes []string) []attribute {
	all := slices.DeleteFunc(templateAttributes(t, coes), func(a attribute) bool {
		return a.name == "project_id" || a.name == "user_id" || a.name == "driver"
	})
	for i, a := range all {
		switch a.name {
		case "keypair_id":
			all[i].present = true
		case "dns_nameserver":
			all[i] = addressAttribute(a.name, &t.DNSNameserver)
		case "labels":
			all[i] = mapAttribute(a.name, func(m map[string]string) { t.Labels = m })
		}
	}
	return all
}

// addressAttribute is one IPv4 address.
func addressAttribute(name string, to *string) attribute {
	return attribute{name: name, set: func(v value) error {
		if addr, err := netip.ParseAddr(v.text); v.kind != text || err != nil || !addr.Is4() {
			return invalid(name, v.str(), "Value should be IPv4 format")
		}
		*to = v.text
		return nil
	}}
}
