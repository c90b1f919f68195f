package api

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
)

// fault does something with a connection instead of answering the request.
type fault func(c net.Conn, request []byte)

// faultyKeystone is a Keystone behind a wire that can be cut.
type faultyKeystone struct {
	*keystonetest.Server
	address string
	mu      sync.Mutex
	l       net.Listener
	fault   fault
	conns   map[net.Conn]bool
	all     sync.WaitGroup
}

func startFaultyKeystone(t *testing.T) *faultyKeystone {
	t.Helper()
	k := &faultyKeystone{Server: keystonetest.Start(t), address: "127.0.0.1:0", conns: map[net.Conn]bool{}}
	k.listen(t)
	k.address = k.l.Addr().String()
	t.Cleanup(func() {
		k.hangUp()
		k.all.Wait()
	})
	return k
}

func (k *faultyKeystone) listen(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", k.address)
	if err != nil {
		t.Fatal(err)
	}
	k.mu.Lock()
	k.l = l
	k.mu.Unlock()
	k.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			k.mu.Lock()
			k.conns[c] = true
			k.mu.Unlock()
			k.all.Go(func() { k.serve(c) })
		}
	})
}

// hangUp closes everything: nobody listens.
func (k *faultyKeystone) hangUp() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.l.Close()
	for c := range k.conns {
		c.Close()
	}
}

func (k *faultyKeystone) serve(c net.Conn) {
	defer func() {
		c.Close()
		k.mu.Lock()
		delete(k.conns, c)
		k.mu.Unlock()
	}()
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	k.mu.Lock()
	broken := k.fault
	k.mu.Unlock()
	if broken != nil {
		dump, _ := httputil.DumpRequest(r, true)
		broken(c, dump)
		return
	}
	w := httptest.NewRecorder()
	k.Server.Config.Handler.ServeHTTP(w, r)
	resp := w.Result()
	resp.Close = true
	_ = resp.Write(c)
}

func (k *faultyKeystone) set(f fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fault = f
}

// untilClosed reads until the other side has had enough.
func untilClosed(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func says(text string) fault {
	return func(c net.Conn, _ []byte) {
		_, _ = io.WriteString(c, text)
		untilClosed(c)
	}
}

func answers(status, kind, more, body string) fault {
	return func(c net.Conn, _ []byte) {
		fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Type: %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, kind, more, len(body), body)
	}
}

// trickles sends a byte now and then, for ever.
func trickles(head string) fault {
	return func(c net.Conn, _ []byte) {
		_, _ = io.WriteString(c, head)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := c.Write([]byte("a")); err != nil {
				return
			}
		}
	}
}

const (
	jsonOK     = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	adminToken = `{"token": {"expires_at": "2099-01-01T00:00:00Z", "user": {"id": "root", "name": "root", "domain": {"id": "default"}}, ` +
		`"project": {"id": "project-demo", "name": "demo", "domain": {"id": "default"}}, "roles": [{"name": "admin"}]}}`
)

// faults is every way in which Keystone does not say who somebody is. What is
// nil stands for a Keystone that does not even listen.
func faults(t *testing.T) map[string]fault {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	t.Cleanup(certificate.Close)
	return map[string]fault{
		"refuses connections":     nil,
		"accepts and hangs":       says(""),
		"hangs up":                func(net.Conn, []byte) {},
		"resets":                  func(c net.Conn, _ []byte) { _ = c.(*net.TCPConn).SetLinger(0) },
		"slow headers":            trickles("HTTP/1.1 200 OK\r\nX-Slow: "),
		"slow body":               trickles(jsonOK + "Content-Length: 100000\r\n\r\n{"),
		"a body without end":      trickles(jsonOK + "Transfer-Encoding: chunked\r\n\r\nffffff\r\n{"),
		"500":                     answers("500 Internal Server Error", "application/json", "", `{"error": {"code": 500}}`),
		"502, a page":             answers("502 Bad Gateway", "text/html", "", "<html>no backend</html>"),
		"503":                     answers("503 Service Unavailable", "application/json", "Retry-After: 3600\r\n", "{}"),
		"401 for the service":     answers("401 Unauthorized", "application/json", "", `{"error": {"code": 401}}`),
		"403":                     answers("403 Forbidden", "application/json", "", `{"error": {"code": 403}}`),
		"429":                     answers("429 Too Many Requests", "text/plain", "", "slow down"),
		"404 of a web server":     answers("404 Not Found", "text/html", "", "<html>not here</html>"),
		"a page with 200":         answers("200 OK", "text/html", "", "<html>log in</html>"),
		"admin's data as a page":  answers("200 OK", "text/html", "", adminToken),
		"cut off":                 says(jsonOK + "Content-Length: 20\r\nConnection: close\r\n\r\n" + adminToken[:20]),
		"JSON cut off":            answers("200 OK", "application/json", "", adminToken[:100]),
		"shorter than it says":    func(c net.Conn, _ []byte) { _, _ = io.WriteString(c, jsonOK+"Content-Length: 9999\r\n\r\n"+adminToken) },
		"200 without token":       answers("200 OK", "application/json", "", "{}"),
		"200 with null":           answers("200 OK", "application/json", "", "null"),
		"200 with an empty token": answers("200 OK", "application/json", "", `{"token": {}}`),
		"200 without body":        answers("200 OK", "application/json", "", ""),
		"204":                     answers("204 No Content", "application/json", "", ""),
		"another token's data":    answers("200 OK", "application/json", "X-Subject-Token: another\r\n", adminToken),
		"moved":                   answers("302 Found", "application/json", "Location: /v3/elsewhere\r\n", adminToken),
		"moved for good":          answers("308 Permanent Redirect", "application/json", "Location: /v3/elsewhere\r\n", ""),
		"a huge body":             answers("200 OK", "application/json", "", strings.Repeat(" ", 5<<20)+adminToken),
		"huge headers":            says("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 2<<20) + "\r\n\r\n"),
		"TLS": func(c net.Conn, request []byte) {
			again := &replay{Conn: c, first: bytes.NewReader(request)}
			_ = tls.Server(again, certificate.TLS).Handshake()
		},
		"SSH":          says("SSH-2.0-OpenSSH_9.2\r\n"),
		"noise":        says("\x00\x01\x02\xff\xfe\r\n\r\n"),
		"an echo":      func(c net.Conn, request []byte) { _, _ = c.Write(request) },
		"an echo, 500": func(c net.Conn, request []byte) { answers("500 Oh", "text/plain", "", string(request))(c, nil) },
		"an echo, 200": func(c net.Conn, request []byte) { answers("200 OK", "application/json", "", string(request))(c, nil) },
		"an echo, size": func(c net.Conn, request []byte) {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %q\r\n\r\n", request)
		},
	}
}

// replay hands on what was read already.
type replay struct {
	net.Conn
	first *bytes.Reader
}

func (r *replay) Read(b []byte) (int, error) {
	if r.first.Len() > 0 {
		return r.first.Read(b)
	}
	return r.Conn.Read(b)
}

// logBuffer keeps all that is said, at every level.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// behindKeystone is the handler with a client of that Keystone that waits for
// an answer as long as its patience lasts, and as long again.
func behindKeystone(t *testing.T, k *faultyKeystone, log io.Writer, patience time.Duration) *fixture {
	t.Helper()
	logger := hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace})
	transport := &http.Transport{DisableKeepAlives: true}
	started := time.Now()
	client, err := keystone.New(keystone.Config{
		AuthURL: "http://" + k.address, Username: "magnum", Password: keystonetest.Password, UserDomainName: "Default",
		ProjectName: "service", ProjectDomainName: "Default", HTTPClient: &http.Client{Transport: transport}, Logger: logger,
		// A clock in a hurry: how long Keystone is left alone is not for tests
		// to wait.
		Now:    func() time.Time { return started.Add(10 * time.Since(started)) },
		Tokens: keystone.TokenConfig{Timeout: patience, Limit: 2 * patience, Retries: 1, ServiceRoles: []string{"service"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, func(c *Config) { c.Keystone, c.Logger = client, logger })
}

// mostWait is what a request may take that waits for half a second, on a
// machine that has other things to do.
const mostWait = 5 * time.Second

// settled asks until the answer is not the one of a Keystone that is away.
func (f *fixture) settled(token func() string) reply {
	f.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; <-again.C {
		got := f.send(token(), "GET", "/v1/clusters", "")
		if got.status != 503 {
			return got
		}
		if time.Since(began) > 2*mostWait {
			f.Fatalf("still %d after %s: %s", got.status, time.Since(began), got.text)
		}
	}
}

// TestKeystoneFaults holds, for every fault: without Keystone's word nobody is
// let in and nothing changes; the answer is a 503 that says when to come back,
// never a 401, which would make clients fetch new tokens, and comes in time;
// who was let in before stays in; afterwards all is well again by itself; and
// no secret is in what is logged and answered.
func TestKeystoneFaults(t *testing.T) {
	for name, broken := range faults(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, log := startFaultyKeystone(t), &logBuffer{}
			f := behindKeystone(t, k, log, 250*time.Millisecond)
			token := func() string { return k.Token(keystonetest.DemoUser, "project-demo") }
			service := k.Issue(keystonetest.Grant{User: "magnum-user", Project: "service", Roles: []string{"service"}})
			const template = `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "name": "x"}`
			known := token()
			if got := f.settled(func() string { return known }); got.status != 200 {
				t.Fatalf("%d %s", got.status, got.text)
			}
			before := f.dump()
			k.set(broken)
			if broken == nil {
				k.hangUp()
			}
			requests := make(chan [2]string, 64)
			for range 5 {
				requests <- [2]string{token(), ""}
				requests <- [2]string{"secret-token-of-nobody", ""}
				requests <- [2]string{known, "secret-token-of-no-service"}
				requests <- [2]string{known, service}
			}
			close(requests)
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for r := range requests {
						began := time.Now()
						got := f.send(r[0], "POST", "/v1/clustertemplates", template, "X-Service-Token", r[1])
						if got.status != 503 || got.detail() != "The Keystone service is temporarily unavailable." || got.header.Get("Retry-After") != "1" {
							t.Errorf("%v is answered %d %v %s", r, got.status, got.header, got.text)
						}
						if took := time.Since(began); took > mostWait {
							t.Errorf("%v waited %s", r, took)
						}
						hasNoSecret(t, "an answer", got.text+fmt.Sprint(got.header))
					}
				})
			}
			all.Wait()
			f.must(200, known, "GET", "/v1/clusters", "")
			if diff := cmp.Diff(before, f.dump()); diff != "" {
				t.Errorf("rows changed (-before +after):\n%s", diff)
			}
			k.set(nil)
			if broken == nil {
				k.listen(t)
			}
			if got := f.settled(token); got.status != 200 {
				t.Errorf("afterwards: %d %s", got.status, got.text)
			}
			refused := f.settled(func() string { return "secret-token-of-nobody" })
			if refused.status != 401 || refused.header.Get("WWW-Authenticate") != `Keystone uri="http://keystone/v3"` || refused.header.Get("Retry-After") != "" {
				t.Errorf("nobody is answered %d %v", refused.status, refused.header)
			}
			hasNoSecret(t, "the log", log.String())
		})
	}
}

func hasNoSecret(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{"secret-token-", keystonetest.Password} {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s holds %s: …%s…", where, secret, text[max(0, at-100):min(len(text), at+100)])
		}
	}
}

// TestKeystoneSlow: slow is not away.
func TestKeystoneSlow(t *testing.T) {
	k := startFaultyKeystone(t)
	f := behindKeystone(t, k, io.Discard, 5*time.Second)
	k.Fault = func(http.ResponseWriter, *http.Request) bool {
		<-time.After(100 * time.Millisecond)
		return false
	}
	f.must(200, k.Token(keystonetest.DemoUser, "project-demo"), "GET", "/v1/clusters", "")
	f.must(401, "secret-token-of-nobody", "GET", "/v1/clusters", "")
}

// TestServiceTokenRevoked: Keystone forgets who the service is, and the
// request goes on after one more login.
func TestServiceTokenRevoked(t *testing.T) {
	k := startFaultyKeystone(t)
	f := behindKeystone(t, k, io.Discard, 5*time.Second)
	token := func() string { return k.Token(keystonetest.DemoUser, "project-demo") }
	f.must(200, token(), "GET", "/v1/clusters", "")
	p, err := f.handler.(*api).Keystone.(*keystone.Client).ServiceSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k.Revoke(p.Token())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := f.send(token(), "GET", "/v1/clusters", ""); got.status != 200 {
				t.Errorf("%d %s", got.status, got.text)
			}
		})
	}
	all.Wait()
	if n := k.Calls("POST /v3/auth/tokens"); n != 2 {
		t.Errorf("%d logins", n)
	}
}

// TestHalfClosed: a client that sends no more, but reads, is not told 200
// because nobody had an answer for it.
func TestHalfClosed(t *testing.T) {
	k := startFaultyKeystone(t)
	f := behindKeystone(t, k, io.Discard, 5*time.Second)
	arrived := make(chan struct{}, 8)
	k.set(func(c net.Conn, _ []byte) {
		arrived <- struct{}{}
		untilClosed(c)
	})
	srv := httptest.NewServer(f.handler)
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /v1/clusters HTTP/1.1\r\nHost: magnum\r\nX-Auth-Token: %s\r\n\r\n", k.Token(keystonetest.DemoUser, "project-demo"))
	<-arrived
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("it is told %s", resp.Status)
	}
}

// TestServiceTokenHeader is how a service's token comes in.
func TestServiceTokenHeader(t *testing.T) {
	k := startFaultyKeystone(t)
	f := behindKeystone(t, k, io.Discard, 5*time.Second)
	user := k.Token(keystonetest.DemoUser, "project-demo")
	service := k.Issue(keystonetest.Grant{User: "magnum-user", Project: "service", Roles: []string{"service"}})
	f.must(200, user, "GET", "/v1/clusters", "", "X-Service-Token", service)
	f.must(401, user, "GET", "/v1/clusters", "", "X-Service-Token", user)
	f.must(401, user, "GET", "/v1/clusters", "", "X-Service-Token", "secret-token-of-nobody")
	f.must(401, "", "GET", "/v1/clusters", "", "X-Service-Token", service)
}
