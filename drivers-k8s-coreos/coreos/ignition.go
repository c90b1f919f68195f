package coreos

import (
	"encoding/pem"
	"maps"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// plainText refuses values that Ignition could not take: they go into its URLs,
// where Heat can escape only characters that it is told, and those are the ones
// of ASCII.
func plainText(v *template.Values) []driver.Violation {
	given := map[string]string{
		"http_proxy": v.Template.HTTPProxy, "https_proxy": v.Template.HTTPSProxy, "no_proxy": v.Template.NoProxy,
		"insecure_registry": v.Template.InsecureRegistry,
	}
	own := v.Cluster.Labels
	if v.OwnStack() {
		own = v.Group().Labels
	}
	for name, value := range own {
		given["labels/"+name] = value
	}
	var out []driver.Violation
	for _, field := range slices.Sorted(maps.Keys(given)) {
		if strings.ContainsFunc(given[field], func(r rune) bool { return r > '~' || r < ' ' && r != '\n' && r != '\t' && r != '\r' }) {
			out = append(out, template.Refuse(driver.ClassInvalidInput, field,
				"%s is not supported, expecting letters, digits and signs of ASCII alone.", field)...)
		}
	}
	return out
}

// certificates are the cloud's CAs without what stands around them, which need
// not be ASCII.
func certificates(v *template.Values) string {
	var out strings.Builder
	rest := []byte(v.Endpoints.CACert)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out.String()
		}
		block.Headers = nil
		out.Write(pem.EncodeToMemory(block))
	}
}
