package keystone_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"

	"github.com/go-magnum/magnum/core/devcloud"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

func TestProjectExists(t *testing.T) {
	f := start(t, nil)
	var paths []string
	f.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v3/projects") {
			paths = append(paths, r.RequestURI)
		}
		return false
	}
	for id, want := range map[string]bool{
		keystonetest.DemoProj: true, strings.ToUpper(keystonetest.DemoProj): false,
		"nope": false, "": false, ".": false, "..": false, "a?b": false, "ä": false,
		"../users/" + keystonetest.DemoUser: false,
	} {
		if got, err := f.ProjectExists(t.Context(), id); err != nil || got != want {
			t.Errorf("%q: %v, %v", id, got, err)
		}
	}
	for _, path := range paths {
		if strings.Count(path, "/") != 3 || strings.Contains(path, "?") {
			t.Errorf("asked %s", path)
		}
	}
	if n := f.Calls("POST /v3/auth/tokens"); n != 1 {
		t.Errorf("logged in %d times", n)
	}
}

func TestProjectExistsUnknown(t *testing.T) {
	code := 0
	f := start(t, nil)
	f.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			return false
		}
		w.WriteHeader(code)
		return true
	}
	for _, code = range []int{http.StatusForbidden, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		if got, err := f.ProjectExists(t.Context(), keystonetest.DemoProj); magnum.KindOf(err) != magnum.Unavailable || got {
			t.Errorf("%d: %v, %v", code, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.ProjectExists(ctx, keystonetest.DemoProj); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	f.Server.Close()
	if _, err := f.ProjectExists(t.Context(), keystonetest.DemoProj); magnum.KindOf(err) != magnum.Unavailable {
		t.Errorf("away: %v", err)
	}
}

// TestProjectExistsInCloud asks the embedded cloud, whose rules for its
// service account are those of a real one.
func TestProjectExistsInCloud(t *testing.T) {
	cloud, err := devcloud.Start(devcloud.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	account := cloud.OpenRC("magnum")
	k, err := keystone.New(keystone.Config{
		AuthURL: cloud.AuthURL(), Username: "magnum", Password: account["OS_PASSWORD"], UserDomainName: "Default",
		ProjectName: "service", ProjectDomainName: "Default", HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := k.ServiceSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := openstack.NewIdentityV3(p, gophercloud.EndpointOpts{})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := projects.List(c, projects.ListOpts{Name: "demo"}).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := projects.ExtractProjects(pages)
	if err != nil || len(found) != 1 {
		t.Fatalf("projects called demo: %v, %v", found, err)
	}
	for id, want := range map[string]bool{found[0].ID: true, "demo": false, found[0].ID + "0": false} {
		if got, err := k.ProjectExists(t.Context(), id); err != nil || got != want {
			t.Errorf("%q: %v, %v", id, got, err)
		}
	}
}
