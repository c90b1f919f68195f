package templatetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// Suite is a driver and the requests that show what it can do.
type Suite struct {
	Definition func() *template.Definition
	// Request is the one that the cases change.
	Request func() driver.RenderRequest
	Cases   []Case
	// Boot are the boot scripts, as Heat gets them, and the templates of the
	// nodes that run them.
	Boot map[string]string
	// Unset are the values that a boot script reads and that one of its nodes
	// does not get, because it is for those of another role or stack.
	Unset map[string][]string

	// LabelValues are values that are not a label's default and valid, where
	// "other" is not.
	LabelValues map[string]string
	// Bounds are labels that change no stack but refuse one, with a value that
	// does.
	Bounds map[string]string
	// Rich changes the request so that there is something for each label to
	// act on, and Needs what one of them needs besides.
	Rich  func(*driver.RenderRequest)
	Needs map[string]func(*driver.RenderRequest)
	// Largest is the most that a user may ask for.
	Largest func(*driver.RenderRequest)

	// ClusterOutputs are what the cluster's stack says to its node groups, of
	// a driver that makes such.
	ClusterOutputs map[string]driver.RawJSON

	// Folder of testdata is where the golden files are, for a package that has
	// more than one driver.
	Folder string
	// Page is the driver's page of the documentation, with a place for its
	// labels.
	Page string
}

// Run holds the driver to all that is the same for every one.
func (s Suite) Run(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Check", s.check},
		{"Accepts", s.accepts},
		{"Golden", s.golden},
		{"Description", s.description},
		{"SameRequestSameBytes", s.sameBytes},
		{"LabelsAct", s.labelsAct},
		{"ResizeLeavesNodesAlone", s.resize},
		{"NodeGroups", s.nodeGroups},
		{"UserDataFits", s.userData},
		{"CloudInitSchema", s.cloudInit},
		{"RenderIsFast", s.fast},
		{"ScriptsParse", s.scriptsParse},
		{"Shellcheck", s.shellcheck},
		{"ParamsReachTheNodes", s.paramsReach},
		{"DocumentedLabels", s.documentedLabels},
	} {
		t.Run(test.name, test.run)
	}
}

func (s Suite) of(c Case) driver.RenderRequest {
	r := s.Request()
	c.Change(&r)
	return r
}

// Render is the stack of a request. A script that goes to the nodes packed, as
// SCRIPT.gz, is there as what it is.
func (s Suite) Render(t testing.TB, req driver.RenderRequest) driver.RenderResponse {
	t.Helper()
	out := s.render(t, req)
	var err error
	for name, packed := range out.Files {
		plain, isPacked := strings.CutSuffix(name, ".gz")
		if !isPacked {
			continue
		}
		if out.Files[plain], err = unpack(packed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		delete(out.Files, name)
	}
	return out
}

// render is the stack of a request, as Heat gets it.
func (s Suite) render(t testing.TB, req driver.RenderRequest) driver.RenderResponse {
	t.Helper()
	out, err := s.Definition().Render(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func unpack(packed string) (string, error) {
	r, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(packed)))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// Violations are what the driver has against a request.
func (s Suite) Violations(t *testing.T, r driver.RenderRequest) []driver.Violation {
	t.Helper()
	out, err := s.Definition().Validate(context.Background(), driver.ValidateRequest{
		Intent: r.Intent, Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, NodeGroup: r.NodeGroup,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Violations
}

// check holds every stack to the parameter contract: sent is declared, required
// is sent, declared is used, nested templates included.
func (s Suite) check(t *testing.T) {
	d := s.Definition()
	for _, c := range s.Cases {
		for _, err := range d.Check(s.of(c)) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func (s Suite) accepts(t *testing.T) {
	for _, c := range s.Cases {
		if got := s.Violations(t, s.of(c)); len(got) != 0 {
			t.Errorf("%s: %v", c.Name, got)
		}
	}
}

// golden: parameters, files and steps of each case, and of the first case in
// full what a driver's author reads in review.
func (s Suite) golden(t *testing.T) {
	steps := regexp.MustCompile(`(?m)^step \S+`)
	whole := map[string]bool{}
	for _, c := range s.Cases {
		req := s.of(c)
		out := s.Render(t, req)
		var b bytes.Buffer
		for _, name := range slices.Sorted(maps.Keys(out.Parameters)) {
			p := out.Parameters[name]
			if p.Secret != "" {
				fmt.Fprintf(&b, "%s = secret %s\n", name, p.Secret)
			} else {
				fmt.Fprintf(&b, "%s = %q\n", name, p.Value)
			}
		}
		fmt.Fprintf(&b, "\n")
		for _, name := range slices.Sorted(maps.Keys(out.Files)) {
			fmt.Fprintf(&b, "file %s\n", name)
			for _, step := range steps.FindAllString(out.Files[name], -1) {
				fmt.Fprintf(&b, "    %s\n", step)
			}
			// What is not rendered is there to be read already.
			if _, err := fs.Stat(s.Definition().Files, name); err != nil && !whole[name] {
				whole[name] = true
				Golden(t, path.Join(s.Folder, "stack", name), []byte(out.Files[name]))
			}
		}
		Golden(t, path.Join(s.Folder, c.Name+".golden"), b.Bytes())
		d := s.Definition()
		main := d.Main
		if d.Values(req).OwnStack() {
			main = d.NodeGroupMain
		}
		if !whole[main] {
			whole[main] = true
			Golden(t, path.Join(s.Folder, "stack", main), []byte(out.Template))
		}
	}
}

func (s Suite) description(t *testing.T) {
	out, err := s.Definition().Describe(context.Background(), driver.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(out.Description, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	Golden(t, path.Join(s.Folder, "describe.json"), append(b, '\n'))
}

func (s Suite) sameBytes(t *testing.T) {
	for _, c := range s.Cases {
		first := s.Render(t, s.of(c))
		for range 5 {
			if diff := cmp.Diff(first, s.Render(t, s.of(c))); diff != "" {
				t.Fatalf("%s: %s", c.Name, diff)
			}
		}
	}
}

// OtherValue is a valid value of a label that is not its default.
func (s Suite) OtherValue(l template.Label) string {
	if value, ok := s.LabelValues[l.Name]; ok {
		return value
	}
	for _, value := range l.Enum {
		if value != l.Default {
			return value
		}
	}
	if value, ok := map[template.LabelType]string{
		template.Integer: "7", template.Boolean: strconv.FormatBool(l.Default != "true"), template.CIDR: "10.7.0.0/16", template.CIDRs: "192.0.2.0/24",
	}[l.Type]; ok {
		return value
	}
	return "other"
}

// forLabel changes a request so that there is something for the label to act on.
func (s Suite) forLabel(name string, r *driver.RenderRequest) {
	for _, change := range []func(*driver.RenderRequest){s.Rich, s.Needs[name]} {
		if change != nil {
			change(r)
		}
	}
}

// labelsAct: a label in the schema that changed nothing would be a lie.
func (s Suite) labelsAct(t *testing.T) {
	request := func(l template.Label, value string) driver.RenderRequest {
		req := s.Request()
		s.forLabel(l.Name, &req)
		if req.Cluster.Labels == nil {
			req.Cluster.Labels = map[string]string{}
		}
		if value != "" {
			req.Cluster.Labels[l.Name] = value
		}
		return req
	}
	for _, l := range s.Definition().Labels {
		if value, ok := s.Bounds[l.Name]; ok {
			if got := s.Violations(t, request(l, value)); len(got) == 0 {
				t.Errorf("label %s=%s bounds nothing", l.Name, value)
			}
			continue
		}
		value := s.OtherValue(l)
		if got := s.Violations(t, request(l, value)); len(got) != 0 {
			t.Errorf("label %s=%s: %v; give another of LabelValues", l.Name, value, got)
		}
		if cmp.Equal(s.Render(t, request(l, "")), s.Render(t, request(l, value))) {
			t.Errorf("label %s=%s changes nothing", l.Name, value)
		}
	}
}

// resize: what a node is told at boot must not depend on how many workers there
// are.
func (s Suite) resize(t *testing.T) {
	if !slices.Contains(s.Definition().Capabilities, driver.CapResize) {
		t.Skip("the driver cannot resize")
	}
	before := s.Render(t, s.Request())
	req := s.Request()
	req.Intent, req.NodesToRemove = driver.IntentResize, []string{"0"}
	req.NodeGroups[1].NodeCount = 3
	after := s.Render(t, req)
	if diff := cmp.Diff(before.Files, after.Files); diff != "" {
		t.Error(diff)
	}
	count, removed := false, false
	for name := range after.Parameters {
		if before.Parameters[name] == after.Parameters[name] {
			continue
		}
		switch {
		case strings.HasPrefix(name, "number_of_"):
			count = true
		case strings.HasSuffix(name, "_to_remove"):
			removed = true
		default:
			t.Errorf("a resize changes parameter %s", name)
		}
	}
	named := slices.Contains(s.Definition().Capabilities, driver.CapRemoveNamedNodes)
	if !count || removed != named {
		t.Errorf("a resize changes the number of nodes: %v; those to remove: %v, and the driver can that: %v", count, removed, named)
	}
}

// userData: Nova takes 65535 bytes of base64, and the values come on top of the
// script.
func (s Suite) userData(t *testing.T) {
	const limit, values = 65535 / 4 * 3, 8 << 10
	for _, c := range s.Cases {
		for name, script := range s.scripts(t, c) {
			if len(script) > limit-values {
				t.Errorf("%s: %s has %d bytes", c.Name, name, len(script))
			}
		}
	}
}

// scripts are the boot scripts of a case's stack. One that no case has would be
// a script that nobody looks at.
func (s Suite) scripts(t *testing.T, c Case) map[string]string {
	t.Helper()
	out := map[string]string{}
	files := s.Render(t, s.of(c)).Files
	for name := range s.Boot {
		if text, ok := files[name]; ok {
			out[name] = text
		}
	}
	if len(out) == 0 {
		t.Errorf("%s: the stack has none of the boot scripts %v", c.Name, slices.Sorted(maps.Keys(s.Boot)))
	}
	return out
}

func (s Suite) fast(t *testing.T) {
	req := s.Request()
	if s.Largest != nil {
		s.Largest(&req)
	}
	best := time.Hour
	for range 10 {
		start := time.Now()
		s.Render(t, req)
		best = min(best, time.Since(start))
	}
	if best > slowdown*100*time.Millisecond {
		t.Errorf("the largest cluster takes %v", best)
	}
}
