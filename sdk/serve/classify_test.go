package serve_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
)

// get is the error of a request to a server of some kind.
func get(t *testing.T, serverURL string, client *http.Client) error {
	t.Helper()
	resp, err := client.Get(serverURL)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the request succeeds")
	}
	client.CloseIdleConnections()
	return err
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// The errors are those that libraries really make, where that can be had
// without leaving the machine.
func TestErrorsOfLibraries(t *testing.T) {
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	quitter := httptest.NewServer(http.HandlerFunc(hangUp))
	defer quitter.Close()
	secured := httptest.NewUnstartedServer(http.NotFoundHandler())
	secured.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	secured.Config.ErrorLog = hclog.NewNullLogger().StandardLogger(nil)
	secured.StartTLS()
	defer secured.Close()
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}}}
	trusting.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(secured.Certificate())
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}}}
	_, missing := os.Open(filepath.Join(t.TempDir(), "none"))
	var broken struct{}

	tests := map[string]struct {
		err   error
		class driver.Class
		blame driver.Blame
	}{
		"a deadline of the driver's own": {fmt.Errorf("ask the image service: %w", context.DeadlineExceeded), driver.ClassTimeout, driver.BlameDownstream},
		"a client's time-out":            {get(t, silent.URL, &http.Client{Timeout: 10 * time.Millisecond}), driver.ClassTimeout, driver.BlameDownstream},
		"a socket's deadline":            {os.ErrDeadlineExceeded, driver.ClassTimeout, driver.BlameDownstream},
		"nobody listens":                 {get(t, "http://"+closedPort(t), &http.Client{}), driver.ClassUnavailable, driver.BlameDownstream},
		"the server hangs up":            {get(t, quitter.URL, &http.Client{}), driver.ClassUnavailable, driver.BlameDownstream},
		"no such host":                   {&url.Error{Op: "Get", URL: "http://none", Err: &net.DNSError{Name: "none", IsNotFound: true}}, driver.ClassUnavailable, driver.BlameDownstream},
		"reset":                          {fmt.Errorf("read: %w", syscall.ECONNRESET), driver.ClassUnavailable, driver.BlameDownstream},
		"an unknown authority":           {get(t, secured.URL, stranger), driver.ClassAuth, driver.BlameOperator},
		"our certificate is missing":     {get(t, secured.URL, trusting), driver.ClassAuth, driver.BlameOperator},
		"not allowed to read":            {&fs.PathError{Op: "open", Path: "/etc/shadow", Err: syscall.EACCES}, driver.ClassPrecondition, driver.BlameOperator},
		"not allowed to connect":         {&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EACCES)}, driver.ClassPrecondition, driver.BlameOperator},
		"the disk is full":               {&fs.PathError{Op: "write", Path: "/tmp/x", Err: syscall.ENOSPC}, driver.ClassUnavailable, driver.BlameOperator},
		"another service's status":       {status.Error(codes.NotFound, "no such host"), driver.ClassNotFound, driver.BlameDownstream},
		"the same, wrapped":              {fmt.Errorf("delete: %w", status.Error(codes.PermissionDenied, "no")), driver.ClassAuth, driver.BlameOperator},
		"a status that says nothing":     {status.Error(codes.Internal, "oops"), driver.ClassBug, driver.BlameDriver},
		"a file that is missing":         {missing, driver.ClassBug, driver.BlameDriver},
		"a text that is too short":       {io.ErrUnexpectedEOF, driver.ClassBug, driver.BlameDriver},
		"a text that is none":            {json.Unmarshal([]byte("{"), &broken), driver.ClassBug, driver.BlameDriver},
		"a class wins":                   {fmt.Errorf("%w: %w", driver.Errorf(driver.ClassQuota, "full"), context.DeadlineExceeded), driver.ClassQuota, driver.BlameUser},
	}
	r := &recorder{}
	c := dial(t, whole(r))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r.err = tt.err
			_, err := c.Set.Templates.Render(t.Context(), driver.RenderRequest{})
			var got *driver.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %T %v", err, err)
			}
			if got.Class != tt.class || got.Blame != tt.blame {
				t.Errorf("%v is %s of the %s, want %s of the %s", tt.err, got.Class, got.Blame, tt.class, tt.blame)
			}
			if got.OperatorMessage != tt.err.Error() {
				t.Errorf("the operator is told %q, want %q", got.OperatorMessage, tt.err)
			}
			if strings.Contains(got.UserMessage, "127.0.0.1") {
				t.Errorf("the user is told of the cloud's inside: %s", got.UserMessage)
			}
		})
	}
}
