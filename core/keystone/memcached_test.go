package keystone_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// memcached speaks as much of the protocol as is used, well or badly.
type memcached struct {
	net.Listener
	mu    sync.Mutex
	items map[string][]byte
	odd   func(c net.Conn, command string) bool // answers in its place
	asked int
	all   sync.WaitGroup
}

func startMemcached(t *testing.T) *memcached {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &memcached{Listener: l, items: map[string][]byte{}}
	stop := make(chan struct{})
	m.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.all.Go(func() {
				gone := make(chan struct{})
				m.all.Go(func() {
					select {
					case <-stop:
					case <-gone:
					}
					c.Close()
				})
				m.serve(c)
				close(gone)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(stop)
		m.all.Wait()
	})
	return m
}

func (m *memcached) serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		f := strings.Fields(line)
		m.mu.Lock()
		m.asked++
		odd := m.odd
		m.mu.Unlock()
		switch {
		case odd != nil && odd(c, line):
			return
		case f[0] == "gets":
			m.mu.Lock()
			if v, ok := m.items[f[1]]; ok {
				fmt.Fprintf(c, "VALUE %s 0 %d 1\r\n%s\r\n", f[1], len(v), v)
			}
			m.mu.Unlock()
			fmt.Fprint(c, "END\r\n")
		case f[0] == "set":
			var size int
			fmt.Sscan(f[4], &size)
			v := make([]byte, size+2)
			if _, err := io.ReadFull(r, v); err != nil {
				return
			}
			m.mu.Lock()
			m.items[f[1]] = v[:size]
			m.mu.Unlock()
			fmt.Fprint(c, "STORED\r\n")
		default:
			fmt.Fprint(c, "ERROR\r\n")
		}
	}
}

func (m *memcached) behave(odd func(net.Conn, string) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.odd = odd
}

func (m *memcached) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.items))
}

// another is a second process of the same service.
func (f *fixture) another(t *testing.T, change func(*keystone.Config)) *keystone.Client {
	t.Helper()
	c := keystone.Config{
		AuthURL: f.URL, Username: "magnum", Password: keystonetest.Password, UserDomainName: "Default",
		ProjectName: "service", ProjectDomainName: "Default", HTTPClient: f.Server.Client(), Now: f.Server.Now,
	}
	change(&c)
	k, err := keystone.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sharing(server, strategy, secret string) func(*keystone.Config) {
	return func(c *keystone.Config) {
		services(c)
		c.Tokens.Memcached = keystone.MemcachedConfig{Servers: []string{server}, Strategy: strategy, Secret: secret}
	}
}

var strategies = map[string]string{"None": "", "MAC": "the-secret", "encrypt": "the-secret"}

// TestSharedCache holds that one process spares another the question, as long
// as what it left is what it left.
func TestSharedCache(t *testing.T) {
	for strategy, secret := range strategies {
		t.Run(strategy, func(t *testing.T) {
			m := startMemcached(t)
			useSharedCache(t, m.Addr().String(), strategy, secret)
			for _, name := range m.names() {
				entry := m.items[name]
				if bytes.Contains(entry, []byte("secret-token")) || strings.Contains(name, "secret-token") {
					t.Errorf("%s: a token is in memcached", name)
				}
				if strategy == "encrypt" && bytes.Contains(entry, []byte("demo")) {
					t.Errorf("%s can be read", name)
				}
			}
		})
	}
}

// TestRealMemcached is the same with the real one.
func TestRealMemcached(t *testing.T) {
	path, err := exec.LookPath("memcached")
	if err != nil {
		t.Skip("there is no memcached on this machine (Debian's package of that name)")
	}
	for strategy, secret := range strategies {
		t.Run(strategy, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "s")
			args := []string{"-s", socket, "-m", "8", "-t", "1"}
			if os.Getuid() == 0 {
				args = append(args, "-u", "root")
			}
			server := exec.CommandContext(t.Context(), path, args...)
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = server.Process.Kill()
				_ = server.Wait()
			})
			ready := time.NewTicker(5 * time.Millisecond)
			defer ready.Stop()
			for deadline := time.Now().Add(10 * time.Second); ; <-ready.C {
				c, err := net.Dial("unix", socket)
				if err == nil {
					c.Close()
					break
				}
				if time.Now().After(deadline) {
					t.Fatal(err)
				}
			}
			useSharedCache(t, "unix:"+socket, strategy, secret)
		})
	}
}

func useSharedCache(t *testing.T, server, strategy, secret string) {
	t.Helper()
	f := start(t, sharing(server, strategy, secret))
	token := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	rules := f.Issue(keystonetest.Grant{User: keystonetest.DemoUser, Project: "p", Roles: []string{"member"},
		Extra: map[string]any{"application_credential": map[string]any{"access_rules": []any{}}}})
	for _, one := range []string{token, rules, "unknown"} {
		_, _ = f.Validate(t.Context(), one)
	}
	second := f.another(t, sharing(server, strategy, secret))
	before := f.Calls(asked)
	got, err := second.Validate(t.Context(), token)
	if err != nil || f.Calls(asked) != before {
		t.Fatalf("%v after %d more questions", err, f.Calls(asked)-before)
	}
	if got.UserID != keystonetest.DemoUser || got.Token != token || got.ProjectID != keystonetest.DemoProj || len(got.Roles) != 2 {
		t.Errorf("%+v", got)
	}
	if _, err := second.Validate(t.Context(), rules); magnum.KindOf(err) != magnum.Unauthorized || f.Calls(asked) != before {
		t.Errorf("access rules are lost on the way: %v", err)
	}
	if _, err := second.Validate(t.Context(), "unknown"); magnum.KindOf(err) != magnum.Unauthorized || f.Calls(asked) != before+1 {
		t.Errorf("an unknown token: %v", err)
	}
	brief := f.another(t, func(c *keystone.Config) { sharing(server, strategy, secret)(c); c.CacheTTL = time.Minute })
	if _, err := brief.Validate(t.Context(), rules); f.Calls(asked) != before+2 {
		t.Errorf("a process that believes tokens for a minute believes one that is good for five: %v", err)
	}
	// Revoked: the second process may believe what the first was told as long
	// as the first, and not from then on anew.
	f.Revoke(token)
	f.now = f.now.Add(5*time.Minute - time.Second)
	if _, err := second.Validate(t.Context(), token); err != nil {
		t.Errorf("before its time: %v", err)
	}
	f.now = f.now.Add(time.Second)
	for name, k := range map[string]*keystone.Client{"second": second, "third": f.another(t, sharing(server, strategy, secret))} {
		if _, err := k.Validate(t.Context(), token); magnum.KindOf(err) != magnum.Unauthorized {
			t.Errorf("the %s, after its time: %v", name, err)
		}
	}
}

// TestForgedEntries puts into memcached what somebody would who wants in.
func TestForgedEntries(t *testing.T) {
	for strategy, secret := range strategies {
		t.Run(strategy, func(t *testing.T) {
			m := startMemcached(t)
			f := start(t, sharing(m.Addr().String(), strategy, secret))
			admin := f.Issue(keystonetest.Grant{User: "magnum-user", Project: "p", Roles: []string{"admin"}})
			if _, err := f.Validate(t.Context(), admin); err != nil {
				t.Fatal(err)
			}
			theirs := m.items[m.names()[0]]
			mine := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
			if _, err := f.Validate(t.Context(), mine); err != nil {
				t.Fatal(err)
			}
			name := slices.DeleteFunc(m.names(), func(n string) bool { return bytes.Equal(m.items[n], theirs) })[0]
			good := m.items[name]
			f.Revoke(mine) // from now on only memcached can vouch for it
			try := func(what string, entry []byte, change func(*keystone.Config)) {
				t.Helper()
				m.mu.Lock()
				m.items[name] = entry
				m.mu.Unlock()
				if id, err := f.another(t, change).Validate(t.Context(), mine); magnum.KindOf(err) != magnum.Unauthorized {
					t.Errorf("%s: %+v, %v", what, id, err)
				}
			}
			same := sharing(m.Addr().String(), strategy, secret)
			for n := range len(good) - 1 { // cut off anywhere; the last byte is a line's end
				if n < 40 || n > len(good)-40 {
					try(fmt.Sprintf("the first %d bytes", n), good[:n], same)
				}
			}
			for what, entry := range map[string]string{
				"nothing": "", "noise": "\x00\xff\xfe", "JSON": `{"token":{}}`, "a pickle": "\x80\x04K\x01.", "no object": "magnum1N\x00\x00\x7f\xff\xff\xff\xff\xff[]",
			} {
				try(what, []byte(entry), same)
			}
			for other, secret := range map[string]string{"None": "", "MAC": "the-secret", "ENCRYPT": "the-secret", "MAC ": "another"} {
				if !strings.EqualFold(other, strategy) {
					try("another strategy or secret", good, sharing(m.Addr().String(), strings.TrimSpace(other), secret))
				}
			}
			if strategy == "None" {
				return // whoever writes there is believed, and the log says so
			}
			try("somebody else's entry", theirs, same)
			try("with a letter of no strategy", append([]byte("magnum1N"), good[8:]...), same)
			for i := range good {
				if i < 60 || i > len(good)-60 || i%17 == 0 {
					altered := bytes.Clone(good)
					altered[i] ^= 0x20
					try(fmt.Sprintf("byte %d altered", i), altered, same)
				}
			}
		})
	}
}

// TestFaultyMemcached holds that whatever a server does costs a moment, and
// lets nobody in.
func TestFaultyMemcached(t *testing.T) {
	say := func(text string) func(net.Conn, string) bool {
		return func(c net.Conn, _ string) bool {
			fmt.Fprint(c, text)
			_, _ = io.Copy(io.Discard, c) // until it is hung up
			return true
		}
	}
	trickle := func(text string) func(net.Conn, string) bool {
		return func(c net.Conn, _ string) bool {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i++ {
				if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
					return true
				}
				<-tick.C
			}
		}
	}
	tests := map[string]func(net.Conn, string) bool{
		"says nothing":        say(""),
		"hangs up":            func(net.Conn, string) bool { return true },
		"noise":               say(strings.Repeat("\x00\xff", 5000)),
		"an error":            say("SERVER_ERROR out of memory\r\n"),
		"HTTP":                say("HTTP/1.1 200 OK\r\n\r\n{}"),
		"a huge value":        say("VALUE k 0 4294967290 1\r\nabc"),
		"a negative one":      say("VALUE k 0 -5 1\r\nabc"),
		"another key":         say("VALUE k 0 3 1\r\nabc\r\nEND\r\n"),
		"two values":          say("VALUE k 0 3 1\r\nabc\r\nVALUE k 0 3 1\r\nabc\r\nEND\r\n"),
		"a value without end": say("VALUE k 0 3 1\r\nabc\r\n"),
		"more than was asked": say("END\r\nEND\r\nEND\r\n"),
		"a byte at a time":    trickle("x"),
		"values without end": func(c net.Conn, _ string) bool {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for range tick.C {
				if _, err := fmt.Fprint(c, "VALUE k 0 0 1\r\n\r\n"); err != nil {
					break
				}
			}
			return true
		},
	}
	for name, odd := range tests {
		t.Run(name, func(t *testing.T) {
			m := startMemcached(t)
			m.behave(odd)
			f := start(t, sharing(m.Addr().String(), "None", ""))
			begin, memory := time.Now(), allocated()
			for range 4 {
				if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil {
					t.Error(err)
				}
				if _, err := f.Validate(t.Context(), fmt.Sprint("unknown-", f.Calls(asked))); magnum.KindOf(err) != magnum.Unauthorized {
					t.Error(err)
				}
			}
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("took %s", took)
			}
			if n := allocated() - memory; n > 100<<20 {
				t.Errorf("took %d bytes", n)
			}
			f.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(http.StatusInternalServerError)
				return true
			}
			f.now = f.now.Add(time.Minute)
			if id, err := f.Validate(t.Context(), "k"); magnum.KindOf(err) != magnum.Unavailable {
				t.Errorf("without Keystone: %+v, %v", id, err)
			}
			// It mends, and is used again.
			f.Fault = nil
			m.behave(nil)
			f.now = f.now.Add(time.Minute)
			if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil || len(m.names()) == 0 {
				t.Errorf("mended: %v, and %d entries", err, len(m.names()))
			}
		})
	}
}

// allocated is how many bytes were ever asked for.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestMemcachedAway: nobody listens, and it is not asked with every token.
func TestMemcachedAway(t *testing.T) {
	m := startMemcached(t)
	m.Listener.Close()
	var log bytes.Buffer
	f := start(t, func(c *keystone.Config) {
		sharing(m.Addr().String(), "MAC", "s")(c)
		c.Logger = hclog.New(&hclog.LoggerOptions{Output: &log})
	})
	for range 50 {
		if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(log.String(), "memcached server fails"); n != 1 {
		t.Errorf("said so %d times:\n%s", n, log.String())
	}
}

func TestMemcachedRestart(t *testing.T) {
	m := startMemcached(t)
	f := start(t, sharing(m.Addr().String(), "MAC", "s"))
	if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil {
		t.Fatal(err)
	}
	m.behave(func(net.Conn, string) bool { m.behave(nil); return true }) // what was connected is no more
	if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil || len(m.names()) != 2 {
		t.Errorf("%v, and %d entries", err, len(m.names()))
	}
}

func TestMemcachedConfig(t *testing.T) {
	for _, c := range []keystone.MemcachedConfig{
		{Servers: []string{"h:1"}, Strategy: "MAC"},
		{Servers: []string{"h:1"}, Strategy: "ENCRYPT"},
		{Servers: []string{"h:1"}, Strategy: "ROT13", Secret: "s"},
		{Servers: []string{"h:1", "a b:2"}},
		{Servers: []string{":11211"}},
	} {
		_, err := keystone.New(keystone.Config{AuthURL: "http://k", Username: "u", Tokens: keystone.TokenConfig{Memcached: c}})
		if err == nil || !strings.Contains(err.Error(), "[keystone_authtoken] memcache") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, server := range []string{"h", "h:1", "inet:h:1", "inet6:[::1]:11211", "[::1]:1", "unix:/run/m"} {
		_, err := keystone.New(keystone.Config{AuthURL: "http://k", Username: "u", Tokens: keystone.TokenConfig{
			Memcached: keystone.MemcachedConfig{Servers: []string{server}}}})
		if err != nil {
			t.Errorf("%s: %v", server, err)
		}
	}
}
