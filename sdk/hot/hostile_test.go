package hot

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func bomb() string {
	var b strings.Builder
	b.WriteString(version + "x: &a0 [lol, lol]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&b, "x%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i-1, i-1, i-1)
	}
	return b.String()
}

func hostile() map[string]string {
	deep := strings.Repeat("[", 20000) + strings.Repeat("]", 20000)
	concat := "[1]"
	for range 40 {
		concat = "{list_concat: [&x" + fmt.Sprint(len(concat)) + " " + concat + ", *x" + fmt.Sprint(len(concat)) + "]}"
	}
	replace := "aaaaaaaaaa"
	for range 30 {
		replace = "{str_replace: {template: " + replace + ", params: {a: aaaaaaaaaa}}}"
	}
	lists := make([]string, 12)
	for i := range lists {
		lists[i] = fmt.Sprintf(`"%%%d%%": {get_param: l}`, i)
	}
	digits := strings.TrimSuffix(strings.Repeat("a,", 100), ",")
	var chain strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&chain, "  r%d: {type: OS::Heat::Value, depends_on: r%d, properties: {value: 1}}\n", i, (i+1)%4000)
	}
	value := func(v string) string {
		return version + "parameters: {l: {type: comma_delimited_list, default: '" + digits + "'}}\nresources: {a: {type: OS::Heat::Value, properties: {value: " + v + "}}}\n"
	}
	return map[string]string{
		"alias bomb":      bomb(),
		"deep":            version + "resources: " + deep,
		"self alias":      version + "x: &a [*a]\n",
		"self merge":      version + "x: &a {<<: *a}\n",
		"self merge top":  "&a\nheat_template_version: 2018-08-31\n<<: *a\n",
		"doubling list":   value(concat),
		"growing text":    value(replace),
		"wide repeat":     value("{repeat: {template: x, for_each: {" + strings.Join(lists, ", ") + "}}}"),
		"huge count":      version + "resources: {g: {type: OS::Heat::ResourceGroup, properties: {count: 999999999999, resource_def: {type: OS::Heat::None}}}}\n",
		"cycle":           version + "resources:\n" + chain.String(),
		"condition cycle": version + "conditions: {a: {not: b}, b: {not: a}}\nresources: {r: {type: OS::Heat::Value, condition: a, properties: {value: 1}}}\n",
		"self nested":     version + "resources: {a: {type: self.yaml}, b: {type: self.yaml}, c: {type: self.yaml}}\n",
		"empty":           "",
		"null":            version + "parameters:\nresources:\noutputs:\nconditions:\n",
		"odd keys":        version + "resources: {1: {type: OS::Heat::None}, null: {type: OS::Heat::None}, true: {type: OS::Heat::None}}\n",
		"complex key":     version + "? [a, b]\n: c\n",
		"binary":          "\x00\x01\xff\xfe",
		"too long":        version + strings.Repeat("#", MaxTemplateBytes),
	}
}

// TestHostile: nothing takes long, grows without bound or panics.
func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			exercise(text, map[string]string{"self.yaml": text})
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %s", d)
			}
		})
	}
}

// TestHostileIsRefused: the ones that can only be attacks are errors.
func TestHostileIsRefused(t *testing.T) {
	for _, name := range []string{"alias bomb", "deep", "self alias", "doubling list", "growing text", "wide repeat", "cycle", "condition cycle", "self nested", "too long"} {
		text := hostile()[name]
		s, err := Load(text, map[string]string{"self.yaml": text}, nil)
		if err == nil {
			err = s.Validate(nil, Pseudo{})
		}
		if err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// exercise does to a template all that this package can.
func exercise(text string, files map[string]string) {
	s, err := Load(text, files, nil)
	if err != nil {
		return
	}
	_ = s.Lint()
	_ = s.Check(nil)
	_ = s.Validate(nil, Pseudo{})
	sc, err := s.Scope(nil, Pseudo{})
	if err != nil {
		return
	}
	_, _, _ = sc.Order()
	for _, name := range s.Template.OutputNames() {
		_, _ = sc.Output(name)
	}
	for _, name := range s.Template.ResourceNames() {
		_, _ = sc.Check(s.Template.Resources[name])
	}
}

// patience is how long one input may take, on a busy machine.
const patience = 10 * time.Second

// FuzzStack is best run with a small -fuzzminimizetime: by default the fuzzer
// spends up to a minute on making one interesting input shorter.
func FuzzStack(f *testing.F) {
	for name, text := range hostile() {
		switch name {
		case "alias bomb", "doubling list", "growing text", "wide repeat":
			// They run up to the bounds, which takes a good part of a second:
			// TestHostile has them, the fuzzer would mutate little else.
		default:
			if len(text) < 4096 {
				f.Add(text, "")
			}
		}
	}
	f.Add(version+someParameters+"outputs: {o: {value: {str_replace: {template: {get_param: s}, params: {t: {get_attr: [r, value]}}}}}}", "")
	f.Add(version+"resources: {a: {type: n.yaml, properties: {p: 1}}}", version+"parameters: {p: {type: string}}\noutputs: {o: {value: {get_param: p}}}")
	f.Fuzz(func(_ *testing.T, main, nested string) {
		// The fuzzer itself does not notice an input that never ends.
		watchdog := time.AfterFunc(patience, func() { panic("still at it after " + patience.String()) })
		defer watchdog.Stop()
		exercise(main, map[string]string{"n.yaml": nested, "self.yaml": main})
	})
}
