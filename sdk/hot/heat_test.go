package hot

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// recorded is one request to a real Heat 19 (Zed) and its answer.
type recorded struct {
	Template    string            `json:"template"`
	Files       map[string]string `json:"files"`
	Parameters  map[string]any    `json:"parameters"`
	Environment any               `json:"environment"`
	Status      int               `json:"status"`
	Type        string            `json:"type"`
	Message     string            `json:"message"`
	// Where we knowingly differ: our words, or that we accept; and why.
	Ours     string `json:"ours"`
	Accepted bool   `json:"accepted"`
	Why      string `json:"why"`
}

func (r recorded) load() (*Stack, error) {
	t, err := Parse("[root stack]", []byte(r.Template))
	if err != nil {
		return nil, err
	}
	var env *Environment
	switch e := r.Environment.(type) {
	case string:
		env, err = ParseEnvironment(e)
	case map[string]any:
		env, err = NewEnvironment(e)
	default:
		env, err = NewEnvironment(nil)
	}
	if err != nil {
		return nil, err
	}
	return New(t, r.Files, env), nil
}

// TestAgainstHeat holds the answers of a real Heat against ours: which stacks
// are accepted, and the kind and words of every refusal.
func TestAgainstHeat(t *testing.T) {
	raw, err := os.ReadFile("testdata/heat19.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 150 {
		t.Fatalf("only %d recorded answers", len(cases))
	}
	for _, c := range cases {
		title := strings.TrimPrefix(c.Template, "heat_template_version: 2018-08-31\n")
		t.Run(title, func(t *testing.T) {
			s, err := c.load()
			if err == nil {
				err = s.Validate(c.Parameters, Pseudo{})
			}
			want := c.Message
			if c.Ours != "" {
				want = c.Ours
			}
			if c.Accepted {
				want = ""
			}
			switch {
			case err == nil && want != "":
				t.Fatalf("accepted; Heat says %s: %s", c.Type, want)
			case err != nil && want == "":
				t.Fatalf("refused with %q; Heat accepts", err)
			case err == nil:
				return
			}
			if err.Error() != want {
				t.Errorf("\n got %s\nwant %s", err, want)
			}
			if e := err.(*Error); c.Ours == "" && e.Kind != c.Type {
				t.Errorf("kind %s, want %s", e.Kind, c.Type)
			}
		})
	}
}
