package template

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

// LabelType says how a label's text is read.
type LabelType string

// The label types.
const (
	String  LabelType = "string"
	Integer LabelType = "integer"
	Boolean LabelType = "boolean" // as Heat reads them: true, yes, on, 1, t, y and their opposites
	CIDR    LabelType = "cidr"
	CIDRs   LabelType = "cidrs" // with commas between
)

// Label is a label that the driver acts on. Declare none that does nothing:
// the schema is what users read to know what works.
type Label struct {
	Name        string
	Type        LabelType // "" is String
	Default     string    // in the label's own form; "" is none
	Description string
	Since       string // version of the driver
	Deprecated  bool
	Enum        []string // for String
	Pattern     string   // for String, a regular expression for the whole text
	Minimum     *int     // for Integer
	Maximum     *int
	// PerNodeGroup says that the label is about nodes: a node group with a
	// stack of its own may have another value than the cluster. Others are of
	// the whole cluster.
	PerNodeGroup bool
}

// Int makes a bound for a Label.
func Int(n int) *int { return &n }

// check says what is wrong with a value, "" if nothing.
func (l Label) check(value string) string {
	say := func(format string, a ...any) string {
		return fmt.Sprintf("property %q with value %q is not supported, ", "labels/"+l.Name, value) + fmt.Sprintf(format, a...)
	}
	switch l.Type {
	case Integer:
		n, err := strconv.Atoi(strings.TrimSpace(value))
		switch {
		case err != nil:
			return say("expecting an integer")
		case l.Minimum != nil && n < *l.Minimum:
			return say("expecting an integer of at least %d", *l.Minimum)
		case l.Maximum != nil && n > *l.Maximum:
			return say("expecting an integer of at most %d", *l.Maximum)
		}
	case Boolean:
		if _, ok := parseBool(value); !ok {
			return say("expecting true or false")
		}
	case CIDR:
		if _, err := netip.ParsePrefix(value); err != nil {
			return say("expecting a CIDR such as 10.0.0.0/24")
		}
	case CIDRs:
		for _, one := range splitList(value) {
			if _, err := netip.ParsePrefix(one); err != nil {
				return say("expecting CIDRs such as 10.0.0.0/24 with commas between")
			}
		}
	default:
		if len(l.Enum) > 0 && !slices.Contains(l.Enum, value) {
			return say("supported values are: %s, unspecified", strings.Join(l.Enum, ", "))
		}
		if l.Pattern != "" {
			whole, err := regexp.Compile("^(?:" + l.Pattern + ")$")
			if err != nil || !whole.MatchString(value) {
				return say("expecting a match of %s", l.Pattern)
			}
		}
	}
	return ""
}

// canonical is the form in which a valid value is used.
func (l Label) canonical(value string) string {
	switch l.Type {
	case Integer:
		return strings.TrimSpace(value)
	case Boolean:
		b, _ := parseBool(value)
		return strconv.FormatBool(b)
	case CIDR:
		p, err := netip.ParsePrefix(value)
		if err != nil {
			return value
		}
		return p.Masked().String()
	default:
		return value
	}
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "t", "1", "on", "y", "yes":
		return true, true
	case "false", "f", "0", "off", "n", "no":
		return false, true
	}
	return false, false
}

// splitList takes a text with commas apart; blanks around and empty members
// are dropped. The result is never nil.
func splitList(s string) []string {
	out := []string{}
	for _, one := range strings.Split(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// property is a label in JSON Schema 2020-12. Values are texts in the API; the
// type says how they are read.
type property struct {
	Type        string   `json:"type"`
	Format      string   `json:"format,omitempty"`
	Description string   `json:"description,omitempty"`
	Default     any      `json:"default,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Minimum     *int     `json:"minimum,omitempty"`
	Maximum     *int     `json:"maximum,omitempty"`
	Deprecated  bool     `json:"deprecated,omitempty"`
	Since       string   `json:"x-since,omitempty"`
	// PerNodeGroup tells the labels that a node group can have from those of
	// the whole cluster, which the API refuses to a new group.
	PerNodeGroup bool `json:"x-per-node-group"`
}

func labelSchema(labels []Label) (driver.RawJSON, error) {
	properties := make(map[string]property, len(labels))
	for _, l := range labels {
		p := property{
			Type: "string", Description: l.Description, Enum: l.Enum,
			Minimum: l.Minimum, Maximum: l.Maximum, Deprecated: l.Deprecated, Since: l.Since,
			PerNodeGroup: l.PerNodeGroup,
		}
		if l.Pattern != "" {
			p.Pattern = "^(?:" + l.Pattern + ")$"
		}
		switch l.Type {
		case Integer, Boolean:
			p.Type = string(l.Type)
		case CIDR, CIDRs:
			p.Format = string(l.Type)
		}
		if l.Default != "" {
			if problem := l.check(l.Default); problem != "" {
				return nil, fmt.Errorf("default: %s", problem)
			}
			switch l.Type {
			case Integer:
				n, err := strconv.Atoi(l.Default)
				if err != nil {
					return nil, fmt.Errorf("default of %s: %w", l.Name, err)
				}
				p.Default = n
			case Boolean:
				p.Default, _ = parseBool(l.Default)
			default:
				p.Default = l.Default
			}
		}
		properties[l.Name] = p
	}
	return json.Marshal(struct {
		Schema     string              `json:"$schema"`
		Type       string              `json:"type"`
		Properties map[string]property `json:"properties"`
		Additional bool                `json:"additionalProperties"`
	}{"https://json-schema.org/draft/2020-12/schema", "object", properties, true})
}
