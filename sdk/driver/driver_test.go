package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClassOf(t *testing.T) {
	tests := map[string]struct {
		err       error
		want      Class
		retryable bool
		blame     Blame
	}{
		"of a driver's":  {Errorf(ClassQuota, "no room"), ClassQuota, false, BlameUser},
		"wrapped":        {fmt.Errorf("render: %w", Errorf(ClassUnavailable, "down")), ClassUnavailable, true, BlameDownstream},
		"of nobody's":    {errors.New("oops"), ClassBug, true, BlameDriver},
		"of the core's":  {Errorf(ClassRestarted, "gone"), ClassRestarted, true, BlameDriver},
		"of credentials": {Errorf(ClassAuth, "no"), ClassAuth, true, BlameOperator},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := ClassOf(tt.err)
			if got != tt.want || got.Retryable() != tt.retryable || got.blame() != tt.blame {
				t.Errorf("class %s, retryable %v, blame %s; want %s, %v, %s",
					got, got.Retryable(), got.blame(), tt.want, tt.retryable, tt.blame)
			}
		})
	}
}

// A description goes through describe.json and the database; what comes out
// must be what went in, schema included.
func TestDescriptionJSON(t *testing.T) {
	want := Description{
		Name: "d", Version: "1.2.3", Maturity: MaturityBeta,
		ClusterTypes: []ClusterType{{ServerType: "vm", OS: "fedora", COE: "kubernetes", Priority: 5}},
		LabelSchema:  RawJSON(`{"type":"object"}`),
		Capabilities: []Capability{CapResize}, Limits: Limits{OddMasters: true},
		Services: []string{ServiceDriver, ServiceTemplates},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Description
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !got.Has(CapResize) || got.Has(CapUpgrade) {
		t.Error("Has does not follow Capabilities")
	}
}
