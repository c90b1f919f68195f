package coe_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// A cluster's API that answers with a redirection sends nobody anywhere.
func TestRedirectionsAreRefused(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s is asked for %s", r.Host, r.URL)
	}))
	defer inside.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		api := httptest.NewServer(http.RedirectHandler(inside.URL+"/secrets", status))
		c, err := coe.New(driver.COEAccess{Endpoint: api.URL})
		if err != nil {
			t.Fatal(err)
		}
		body, err := c.Get(t.Context(), "/version")
		var e *driver.Error
		if !errors.As(err, &e) || e.Class != driver.ClassUnavailable || !strings.Contains(e.Error(), http.StatusText(status)) {
			t.Errorf("%d: answered %q, %v", status, body, err)
		}
		c.Close()
		api.Close()
	}
}
