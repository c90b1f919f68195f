package driver_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
)

func TestHTTPError(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := &url.URL{Scheme: "https", Host: "service:9511", Path: "/v1/pools", RawQuery: "token=secret"}
	tests := map[string]struct {
		status int
		after  string
		class  driver.Class
		retry  time.Duration
	}{
		"unauthorized":        {401, "", driver.ClassAuth, 0},
		"forbidden":           {403, "", driver.ClassAuth, 0},
		"not found":           {404, "", driver.ClassNotFound, 0},
		"gone":                {410, "", driver.ClassNotFound, 0},
		"conflict":            {409, "", driver.ClassConflict, 0},
		"precondition":        {412, "", driver.ClassPrecondition, 0},
		"over quota":          {413, "", driver.ClassQuota, 0},
		"throttled":           {429, "", driver.ClassThrottled, 10 * time.Second},
		"throttled, seconds":  {429, "3", driver.ClassThrottled, 3 * time.Second},
		"throttled, a date":   {429, "Fri, 02 Jan 2026 03:04:12 GMT", driver.ClassThrottled, 7 * time.Second},
		"throttled, nonsense": {429, "-1", driver.ClassThrottled, 10 * time.Second},
		"server's time-out":   {504, "", driver.ClassTimeout, 0},
		"not implemented":     {501, "", driver.ClassUnsupported, 0},
		"broken":              {500, "3", driver.ClassUnavailable, 0},
		"overloaded":          {503, "", driver.ClassUnavailable, 0},
		"a bad request":       {400, "", driver.ClassBug, 0},
		"not even an error":   {302, "", driver.ClassBug, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp := &http.Response{
				StatusCode: tt.status, Header: http.Header{"Retry-After": {tt.after}},
				Request: &http.Request{Method: http.MethodGet, URL: at},
			}
			want := driver.Errorf(tt.class, "the pool cannot be read")
			want.OperatorMessage = fmt.Sprintf("the pool cannot be read (%d %s) from GET service:9511/v1/pools", tt.status, http.StatusText(tt.status))
			want.RetryAfter = tt.retry
			got := driver.HTTPError(resp, now, "the pool cannot be read")
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
