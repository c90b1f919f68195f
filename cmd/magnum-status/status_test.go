package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// site is a folder with a configuration, and what else a test puts there.
type site struct {
	*testing.T
	dir string
}

func newSite(t *testing.T, more string) site {
	s := site{t, t.TempDir()}
	s.put("magnum.conf", "[DEFAULT]\nstate_path = "+s.dir+"\n[database]\nconnection = "+s.connection()+"\n"+more)
	return s
}

func (s site) connection() string { return "sqlite:///" + filepath.Join(s.dir, "magnum.sqlite") }

func (s site) put(name, text string) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// database makes one that is ready, with a driver if wanted.
func (s site) database(published bool) {
	s.Helper()
	db, err := state.Open(s.Context(), state.Config{Connection: s.connection()})
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	if _, _, err := db.Upgrade(s.Context()); err != nil {
		s.Fatal(err)
	}
	if published {
		d := state.Driver{Name: "x", Version: "1.0.0", Active: true, Description: driver.Description{Name: "x", Version: "1.0.0"}}
		if err := db.PublishDrivers(s.Context(), "h", []state.Driver{d}); err != nil {
			s.Fatal(err)
		}
	}
}

// run returns what a command prints, its exit code and its error's text.
func (s site) run(args ...string) (out string, code int, text string) {
	s.Helper()
	var b bytes.Buffer
	c := root()
	c.SetOut(&b)
	c.SetErr(&b)
	c.SetArgs(append(args, "--config-file", filepath.Join(s.dir, "magnum.conf")))
	err := c.ExecuteContext(s.Context())
	var exit *command.ExitError
	switch {
	case err == nil:
		return b.String(), 0, ""
	case errors.As(err, &exit):
		if exit.Err != nil {
			text = exit.Err.Error()
		}
		return b.String(), exit.Code, text
	}
	return b.String(), command.ExitFailed, err.Error()
}

func TestUpgradeCheck(t *testing.T) {
	const ok, warn, fail = 0, 1, 2
	for name, c := range map[string]struct {
		prepare func(site)
		more    string
		want    [4]int // format of policy files, rules, schema, drivers
		details string
	}{
		"ready": {func(s site) { s.database(true) }, "", [4]int{ok, ok, ok, ok}, ""},
		"a YAML file": {func(s site) { s.database(true); s.put("policy.yaml", "cluster:get: role:x") }, "",
			[4]int{ok, ok, ok, ok}, ""},
		"a JSON file": {func(s site) { s.database(true); s.put("policy.json", `{"cluster:get": "role:x"}`) }, "",
			[4]int{warn, ok, ok, ok}, "/policy.json. The tool oslopolicy-convert-json-to-yaml makes YAML"},
		"a JSON file by another name": {func(s site) { s.database(true); s.put("policy.yaml", `{"cluster:get": "role:x"}`) }, "",
			[4]int{warn, ok, ok, ok}, "/policy.yaml."},
		"a broken file": {func(s site) { s.database(true); s.put("policy.yaml", "cluster:get: (") }, "",
			[4]int{ok, fail, ok, ok}, "policy cluster:get"},
		"a file for classic rules": {func(s site) { s.database(true); s.put("policy.yaml", "admin_or_owner: '!'\ndeny_cluster_user: '!'") }, "",
			[4]int{ok, warn, ok, ok}, "took their place: admin_or_owner, deny_cluster_user."},
		"a folder in a file's place": {func(s site) { s.database(true); s.must(os.Mkdir(filepath.Join(s.dir, "policy.yaml"), 0o700)) }, "",
			[4]int{fail, fail, ok, ok}, "is not a file"},
		"no authority of remote checks": {func(s site) { s.database(true) }, "[oslo_policy]\nremote_ssl_ca_crt_file = /nowhere\n",
			[4]int{ok, fail, ok, ok}, "remote_ssl_ca_crt_file"},
		"no database":  {func(site) {}, "", [4]int{ok, ok, fail, warn}, "There is no database yet"},
		"an empty one": {func(s site) { s.put("magnum.sqlite", "") }, "", [4]int{ok, ok, fail, warn}, "is at revision 0, this release needs"},
		"not one":      {func(s site) { s.put("magnum.sqlite", strings.Repeat("no database ", 500)) }, "", [4]int{ok, ok, fail, warn}, "database"},
		"no driver":    {func(s site) { s.database(false) }, "", [4]int{ok, ok, ok, warn}, "No conductor has published a driver"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.more)
			c.prepare(s)
			_, err := os.Stat(filepath.Join(s.dir, "magnum.sqlite"))
			table, code, text := s.run("upgrade", "check")
			if _, after := os.Stat(filepath.Join(s.dir, "magnum.sqlite")); (err == nil) != (after == nil) {
				t.Error("the check makes a database")
			}
			if worst := max(c.want[0], c.want[1], c.want[2], c.want[3]); code != worst || text != "" {
				t.Errorf("exit code %d (%s), want %d\n%s", code, text, worst, table)
			}
			var got struct {
				Name   string
				Checks []struct {
					Check   string
					Result  int
					Details *string
				}
			}
			out, _, _ := s.run("upgrade", "check", "--json")
			if err := json.Unmarshal([]byte(out), &got); err != nil || got.Name != title || len(got.Checks) != 4 {
				t.Fatalf("%v\n%s", err, out)
			}
			all := ""
			for i, check := range got.Checks {
				if check.Result != c.want[i] || (check.Result == ok) != (check.Details == nil) {
					t.Errorf("%s: %d, want %d\n%s", check.Check, check.Result, c.want[i], out)
				}
				if check.Details != nil {
					all += *check.Details
				}
				if !strings.Contains(table, "| Check: "+check.Check+" ") {
					t.Errorf("the table lacks %s:\n%s", check.Check, table)
				}
			}
			if !strings.Contains(all, c.details) {
				t.Errorf("details %q, want %q", all, c.details)
			}
		})
	}
	if out, code, text := newSite(t, "[api]\nport = x\n").run("upgrade", "check"); code != 255 || out != "" || !strings.Contains(text, "port") {
		t.Errorf("a broken configuration: exit code %d, %s\n%s", code, text, out)
	}
}

// must ends the test for an error.
func (s site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// TestUpgradeCheckTable is the table as OpenStack's services print it.
func TestUpgradeCheckTable(t *testing.T) {
	var b bytes.Buffer
	err := show(&b, []result{{check: "One"}, {"Two", failure, "Something that takes more than sixty characters to say, and so is broken into lines."}}, false)
	if err != nil {
		t.Fatal(err)
	}
	const want = `+----------------------------------------------------------------------+
| Upgrade Check Results                                                |
+----------------------------------------------------------------------+
| Check: One                                                           |
| Result: Success                                                      |
| Details: None                                                        |
+----------------------------------------------------------------------+
| Check: Two                                                           |
| Result: Failure                                                      |
| Details: Something that takes more than sixty characters to say, and |
|   so is broken into lines.                                           |
+----------------------------------------------------------------------+
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestPolicyList(t *testing.T) {
	s := newSite(t, "[oslo_policy]\nenforce_new_defaults = false\n")
	s.put("policy.yaml", "cluster:get: role:x\nmine: '@'\ndeny_cluster_user: '!'\n")
	path := filepath.Join(s.dir, "policy.yaml")
	out, code, text := s.run("policy", "list", "-f", "json")
	var rows []map[string]string
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 0 {
		t.Fatalf("%v, exit code %d, %s\n%s", err, code, text, out)
	}
	got := map[string]map[string]string{}
	for _, r := range rows {
		got[r["Rule"]] = r
	}
	for rule, want := range map[string][3]string{
		"cluster:get":             {"role:x", path, "GET /v1/clusters/{cluster_ident}"},
		"mine":                    {"@", path, ""},
		"cluster:resize":          {"rule:admin_or_project_member_deny_cluster_user", "default", "POST /v1/clusters/{cluster_ident}/actions/resize"},
		"admin_or_project_reader": {"(rule:context_is_admin or rule:project_reader) or (rule:admin_or_owner)", "default or classic", ""},
		"admin_or_project_member_deny_cluster_user": {"rule:deny_cluster_user", "deny_cluster_user in " + path, ""},
	} {
		if r := got[rule]; r["Check"] != want[0] || r["Source"] != want[1] || r["Requests"] != want[2] {
			t.Errorf("%s: %q, want %q", rule, r, want)
		}
	}
	if out, _, _ := s.run("policy", "list", "-f", "value", "-c", "Rule"); !strings.HasPrefix(out, "context_is_admin\nadmin_api\n") {
		t.Errorf("values: %s", out)
	}
	if _, code, text := s.run("policy", "list", "-c", "Nonsense"); code != 1 || !strings.Contains(text, "no column") {
		t.Errorf("a wrong column: exit code %d, %s", code, text)
	}
	s.put("policy.yaml", "a: (")
	if _, code, text := s.run("policy", "list"); code != 1 || !strings.Contains(text, "policy a") {
		t.Errorf("a broken policy: exit code %d, %s", code, text)
	}
}

func TestPolicyCheck(t *testing.T) {
	s := newSite(t, "")
	for line, want := range map[string]struct {
		out  string
		code int
		text string
	}{
		"--roles reader --rule cluster:create":                                                                {"cluster:create false\n", 1, ""},
		"--roles reader --rule cluster:get":                                                                   {"cluster:get true\n", 0, ""},
		"--roles reader,Member --rule cluster:create --rule quota:create":                                     {"cluster:create true\nquota:create false\n", 1, ""},
		"--roles admin --rule quota:create":                                                                   {"quota:create true\n", 0, ""},
		"--roles admin --system --rule cluster:get":                                                           {"cluster:get false\n", 1, ""},
		"--roles admin --system --rule cluster:get_all_all_projects":                                          {"cluster:get_all_all_projects true\n", 0, ""},
		"--roles member --target project_id=q --rule cluster:create":                                          {"cluster:create false\n", 1, ""},
		"--roles member --project-id q --target project_id=q --rule cluster:create":                           {"cluster:create true\n", 0, ""},
		"--roles member --user-id u --target project_id=project --target user_id=v --rule certificate:create": {"certificate:create false\n", 1, ""},
		"--user-id node --user-domain-id magnum --target trustee_user_id=node --rule certificate:get":         {"certificate:get true\n", 0, ""},
		"--rule no:such":                      {"", 1, "there is no rule no:such: see magnum-status policy list"},
		"--target nothing --rule cluster:get": {"", 2, "--target nothing: expected name=value"},
	} {
		out, code, text := s.run(append([]string{"policy", "check", "-f", "value"}, strings.Fields(line)...)...)
		if out != want.out || code != want.code || text != want.text {
			t.Errorf("%s: %q, exit code %d %s, want %+v", line, out, code, text, want)
		}
	}
	out, code, _ := s.run("policy", "check", "--roles", "reader", "-f", "value")
	if code != 0 || !strings.Contains(out, "cluster:get_all true\n") || !strings.Contains(out, "cluster:update false\n") {
		t.Errorf("all rules: exit code %d\n%s", code, out)
	}
}
