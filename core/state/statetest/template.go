package statetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func schemaTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"upgrading twice changes nothing": func(t *testing.T, s *suite) {
			from, to, err := s.Upgrade(t.Context())
			must(t, err)
			if from != to || to != s.Latest() || to == 0 {
				t.Errorf("from %d to %d, latest %d", from, to, s.Latest())
			}
			version, err := s.Version(t.Context())
			must(t, err)
			if version != to {
				t.Errorf("version %d, want %d", version, to)
			}
		},
	}
}

func fullTemplate() *magnum.ClusterTemplate {
	tags := "a,b"
	return &magnum.ClusterTemplate{
		ProjectID: "p1", UserID: "u1", Name: "full", ImageID: "img", FlavorID: "f", MasterFlavorID: "mf",
		KeypairID: "kp", ExternalNetworkID: "ext", FixedNetwork: "fn", FixedSubnet: "fs", NetworkDriver: "flannel",
		VolumeDriver: "cinder", DNSNameserver: "8.8.8.8", APIServerPort: 8080, DockerVolumeSize: 3,
		DockerStorageDriver: "overlay2", ClusterDistro: "fedora-atomic", COE: "kubernetes", HTTPProxy: "http://a",
		HTTPSProxy: "http://b", NoProxy: "c", RegistryEnabled: true, Labels: magnum.Labels{"k": "v", "ü": "\"\n\U0001f600\\"},
		TLSDisabled: true, Public: true, Hidden: true, ServerType: "vm", InsecureRegistry: "r", MasterLBEnabled: true,
		FloatingIPEnabled: true, Tags: &tags, Driver: "atomic",
	}
}

func templateTests() map[string]func(*testing.T, *suite) {
	return map[string]func(*testing.T, *suite){
		"every field comes back": func(t *testing.T, s *suite) {
			want := fullTemplate()
			must(t, s.CreateTemplate(t.Context(), want))
			if want.ID == 0 || want.UUID == "" || !want.CreatedAt.Equal(s.clock.Now()) || !want.UpdatedAt.IsZero() {
				t.Errorf("id %d, uuid %s, created %s, updated %s", want.ID, want.UUID, want.CreatedAt, want.UpdatedAt)
			}
			got, err := s.Template(t.Context(), state.Scope{ProjectID: "p1"}, want.UUID)
			must(t, err)
			wantSame(t, "template", want, got)
		},
		"unset fields come back unset": func(t *testing.T, s *suite) {
			want := &magnum.ClusterTemplate{Name: "empty", ProjectID: "p1"}
			must(t, s.CreateTemplate(t.Context(), want))
			if want.Labels != nil {
				t.Errorf("labels became %v", want.Labels)
			}
			got, err := s.Template(t.Context(), everybody(), "empty")
			must(t, err)
			want.Labels = magnum.Labels{} // upstream writes {} for null
			wantSame(t, "template", want, got)
			empty := ""
			_, err = s.UpdateTemplate(t.Context(), want.UUID, func(c *magnum.ClusterTemplate, _ bool) error {
				c.Tags = &empty
				return nil
			})
			must(t, err)
			got, err = s.Template(t.Context(), everybody(), "empty")
			must(t, err)
			if got.Tags == nil || *got.Tags != "" {
				t.Errorf("empty tags are %v", got.Tags)
			}
		},
		"a given uuid is used, in small letters, once": func(t *testing.T, s *suite) {
			given := "B0C0FFEE-0000-4000-8000-000000000001"
			c := &magnum.ClusterTemplate{Name: "x", UUID: given}
			must(t, s.CreateTemplate(t.Context(), c))
			if c.UUID != strings.ToLower(given) {
				t.Errorf("uuid is %s", c.UUID)
			}
			wantError(t, s.CreateTemplate(t.Context(), &magnum.ClusterTemplate{Name: "y", UUID: given}), magnum.Conflict,
				"A ClusterTemplate with UUID b0c0ffee-0000-4000-8000-000000000001 already exists.")
		},
		"look-ups": func(t *testing.T, s *suite) {
			c := s.template(t)
			for ident, found := range map[string]bool{
				c.UUID: true, strings.ToUpper(c.UUID): true, strings.ReplaceAll(c.UUID, "-", ""): false, "{" + c.UUID + "}": false,
				"template": true, "Template": false, "template ": false, "": false, "1": false, nobody: false, "' OR 1=1 --": false,
			} {
				got, err := s.Template(t.Context(), state.Scope{ProjectID: "p1"}, ident)
				if !found {
					wantError(t, err, magnum.NotFound, "ClusterTemplate "+ident+" could not be found.")
				} else if err != nil || got.UUID != c.UUID {
					t.Errorf("%q: %v, %v", ident, got, err)
				}
			}
		},
		"two of a name": func(t *testing.T, s *suite) {
			for _, project := range []string{"p1", "p1", "p2"} {
				must(t, s.CreateTemplate(t.Context(), &magnum.ClusterTemplate{Name: "twin", ProjectID: project}))
			}
			for _, scope := range []state.Scope{{ProjectID: "p1"}, everybody()} {
				_, err := s.Template(t.Context(), scope, "twin")
				wantError(t, err, magnum.Conflict, "Multiple ClusterTemplates exist with same name. Please use the ClusterTemplate uuid instead.")
			}
			got, err := s.Template(t.Context(), state.Scope{ProjectID: "p2"}, "twin")
			if err != nil || got.ProjectID != "p2" {
				t.Errorf("%v, %v", got, err)
			}
		},
		"who sees what": templateVisibility,
		"update":        templateUpdate,
		"delete": func(t *testing.T, s *suite) {
			c := s.ready(t, "c")
			wantError(t, s.DeleteTemplate(t.Context(), s.tmpl.UUID), magnum.Invalid,
				"ClusterTemplate "+s.tmpl.UUID+" is referenced by one or multiple clusters.")
			must(t, s.Accept(t.Context(), c.UUID, &magnum.Operation{Kind: magnum.OpDelete}, accept))
			must(t, s.Destroy(t.Context(), s.claim(t, "a")))
			must(t, s.DeleteTemplate(t.Context(), s.tmpl.UUID))
			wantError(t, s.DeleteTemplate(t.Context(), s.tmpl.UUID), magnum.NotFound, "ClusterTemplate "+s.tmpl.UUID+" could not be found.")
		},
		"a template that a cluster is on its way to": func(t *testing.T, s *suite) {
			c, _ := s.add(t, s.newCluster(t, "c"))
			must(t, s.Finish(t.Context(), s.claim(t, "a"), nil))
			next := &magnum.ClusterTemplate{Name: "next", ProjectID: "p1"}
			must(t, s.CreateTemplate(t.Context(), next))
			op := &magnum.Operation{Kind: magnum.OpUpgrade, Input: []byte(`{"cluster_template": "` + next.UUID + `"}`)}
			must(t, s.Accept(t.Context(), c.UUID, op, accept))
			wantError(t, s.DeleteTemplate(t.Context(), next.UUID), magnum.Invalid,
				"ClusterTemplate "+next.UUID+" is referenced by one or multiple clusters.")
			must(t, s.Finish(t.Context(), s.claim(t, "a"), nil))
			must(t, s.DeleteTemplate(t.Context(), next.UUID))
		},
	}
}

func accept(*magnum.Cluster) error { return nil }

func templateVisibility(t *testing.T, s *suite) {
	for _, c := range []*magnum.ClusterTemplate{
		{Name: "private"}, {Name: "public", Public: true}, {Name: "hidden", Hidden: true}, {Name: "both", Public: true, Hidden: true},
	} {
		c.ProjectID, c.UserID = "p1", "u1"
		must(t, s.CreateTemplate(t.Context(), c))
	}
	all := []string{"private", "public", "hidden", "both"}
	for _, tc := range []struct {
		who       string
		scope     state.Scope
		get, list []string
	}{
		{"own project", state.Scope{ProjectID: "p1", UserID: "u2"}, all, all},
		{"other project", state.Scope{ProjectID: "p2", UserID: "u1"}, []string{"public", "both"}, []string{"public"}},
		{"own user without project", state.Scope{UserID: "u1"}, all, all},
		{"other user without project", state.Scope{UserID: "u2"}, []string{"public", "both"}, []string{"public"}},
		{"nobody", state.Scope{}, []string{"public", "both"}, []string{"public"}},
		{"admin", everybody(), all, all},
	} {
		t.Run(tc.who, func(t *testing.T) {
			got := []string{}
			for _, name := range all {
				if _, err := s.Template(t.Context(), tc.scope, name); err == nil {
					got = append(got, name)
				} else {
					wantError(t, err, magnum.NotFound, "ClusterTemplate "+name+" could not be found.")
				}
			}
			wantSame(t, "can get", tc.get, got)
			listed, err := s.Templates(t.Context(), tc.scope, state.Page{})
			must(t, err)
			wantSame(t, "can list", tc.list, templateNames(listed))
		})
	}
}

func templateUpdate(t *testing.T, s *suite) {
	c := s.template(t)
	update := func(f func(*magnum.ClusterTemplate, bool) error) (*magnum.ClusterTemplate, error) {
		return s.UpdateTemplate(t.Context(), c.UUID, f)
	}
	s.clock.Add(time.Hour)
	got, err := update(func(*magnum.ClusterTemplate, bool) error { return nil })
	must(t, err)
	if !got.UpdatedAt.IsZero() {
		t.Error("an update of nothing was written")
	}
	got, err = update(func(c *magnum.ClusterTemplate, inUse bool) error {
		if inUse {
			t.Error("in use")
		}
		c.Labels, c.FlavorID, c.UUID, c.ID, c.CreatedAt = nil, "f2", nobody, 99, time.Time{}
		return nil
	})
	must(t, err)
	if got.Labels != nil || got.FlavorID != "f2" || !got.UpdatedAt.Equal(s.clock.Now()) {
		t.Errorf("answer %+v", got)
	}
	stored, err := s.Template(t.Context(), everybody(), c.UUID)
	must(t, err)
	if stored.FlavorID != "f2" || stored.ID != c.ID || !stored.CreatedAt.Equal(c.CreatedAt) || !stored.UpdatedAt.Equal(s.clock.Now()) {
		t.Errorf("stored %+v", stored)
	}
	_, err = update(func(c *magnum.ClusterTemplate, _ bool) error { c.Name = "again"; return nil })
	must(t, err)
	refused := errors.New("refused")
	if _, err := update(func(c *magnum.ClusterTemplate, _ bool) error { c.Name = "lost"; return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	stored, err = s.Template(t.Context(), everybody(), c.UUID)
	must(t, err)
	if stored.Name != "again" {
		t.Errorf("name %s", stored.Name)
	}
	s.add(t, s.newCluster(t, "c"))
	_, err = update(func(_ *magnum.ClusterTemplate, inUse bool) error {
		if !inUse {
			t.Error("not in use")
		}
		return nil
	})
	must(t, err)
	_, err = s.UpdateTemplate(t.Context(), nobody, nil)
	wantError(t, err, magnum.NotFound, "ClusterTemplate "+nobody+" could not be found.")
}
