package keystone_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// wire is a Keystone without sockets, so that a test's clock may stand still.
type wire struct {
	mu          sync.Mutex
	fault       func(r *http.Request) (*http.Response, error) // nil: all is well
	asked       map[string]int                                // by token
	now, most   int                                           // questions at the same time
	logins      int
	refuseLogin bool
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	token := r.Header.Get("X-Subject-Token")
	if r.Method == http.MethodPost {
		w.logins++
	} else {
		w.asked[token]++
		w.now++
		w.most = max(w.most, w.now)
		defer func() {
			w.mu.Lock()
			w.now--
			w.mu.Unlock()
		}()
	}
	fault, refuse := w.fault, w.refuseLogin
	w.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && refuse:
		return text(r, http.StatusUnauthorized, `{"error":{"code":401}}`), nil
	case fault != nil:
		return fault(r)
	case r.Method == http.MethodPost:
		resp := text(r, http.StatusCreated, `{"token":{"expires_at":"2099-01-01T00:00:00Z","user":{"id":"m"}}}`)
		resp.Header.Set("X-Subject-Token", "own")
		return resp, nil
	case strings.HasPrefix(token, "bad"):
		return text(r, http.StatusNotFound, `{"error":{"code":404}}`), nil
	}
	return text(r, http.StatusOK, `{"token":{"expires_at":"2099-01-01T00:00:00Z","user":{"id":"`+token+`"}}}`), nil
}

func (w *wire) set(fault func(*http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
}

func (w *wire) total() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, asked := range w.asked {
		n += asked
	}
	return n
}

func text(r *http.Request, code int, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Status: http.StatusText(code), Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func overWire(t *testing.T, change func(*keystone.Config)) (*keystone.Client, *wire) {
	t.Helper()
	w := &wire{asked: map[string]int{}}
	c := keystone.Config{
		AuthURL: "http://keystone", Username: "magnum", UserDomainName: "Default", Password: "p", HTTPClient: &http.Client{Transport: w},
		Tokens: keystone.TokenConfig{Retries: 3},
	}
	if change != nil {
		change(&c)
	}
	k, err := keystone.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return k, w
}

// sleep is only for bubbles.
func sleep(d time.Duration) { <-time.After(d) }

// crowd asks about n tokens at the same time and tells how long each waited,
// the slowest last, and how many errors of each kind there were.
func crowd(t *testing.T, k *keystone.Client, n int, name string) (waits []time.Duration, kinds map[magnum.Kind]int) {
	t.Helper()
	kinds = map[magnum.Kind]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	start := time.Now()
	for i := range n {
		all.Go(func() {
			_, err := k.Validate(t.Context(), fmt.Sprintf("%s-%d", name, i))
			mu.Lock()
			defer mu.Unlock()
			waits = append(waits, time.Since(start))
			if err == nil {
				kinds[-1]++
				return
			}
			kinds[magnum.KindOf(err)]++
		})
	}
	all.Wait()
	slices.Sort(waits)
	return waits, kinds
}

// TestOutage lets Keystone hang under a crowd, then come back.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, nil)
		if _, err := k.Validate(t.Context(), "known"); err != nil {
			t.Fatal(err)
		}
		w.set(hang)
		// One attempt's time: by then it is known that another is in vain, but
		// to the two that came in before the third one failed. The pause before
		// a repeat comes on top.
		waits, kinds := crowd(t, k, 1000, "first")
		if waits[997] > 5200*time.Millisecond || waits[999] > 10*time.Second || kinds[magnum.Unavailable] != 1000 {
			t.Errorf("the first crowd waited %s, %s: %v", waits[997], waits[999], kinds)
		}
		if w.most > 32 {
			t.Errorf("%d questions at the same time", w.most)
		}
		asked := w.total()
		// From now on nobody waits, but for the one that tries.
		for i := range 5 {
			waits, kinds = crowd(t, k, 300, fmt.Sprint("later-", i))
			if waits[298] != 0 || waits[299] > 10*time.Second || kinds[magnum.Unavailable] != 300 {
				t.Errorf("a later crowd waited %s, one %s: %v", waits[298], waits[299], kinds)
			}
			sleep(time.Second)
		}
		if n := w.total() - asked; n > 30 {
			t.Errorf("1,500 refusals cost %d questions", n)
		}
		started := time.Now()
		if id, err := k.Validate(t.Context(), "known"); err != nil || id.UserID != "known" || time.Since(started) != 0 {
			t.Errorf("a cached token: %v, %v after %s", id, err, time.Since(started))
		}
		w.set(nil)
		back := time.Now()
		for {
			if _, err := k.Validate(t.Context(), "new"); err == nil {
				break
			}
			sleep(50 * time.Millisecond)
		}
		if took := time.Since(back); took > 1500*time.Millisecond {
			t.Errorf("back after %s", took)
		}
		if waits, kinds := crowd(t, k, 1000, "after"); waits[999] > 0 || kinds[-1] != 1000 {
			t.Errorf("afterwards: %v within %s", kinds, waits[999])
		}
	})
}

// TestOutageOfACachedToken holds that the cache does not carry a token beyond
// its time, however long Keystone is away.
func TestOutageOfACachedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, nil)
		if _, err := k.Validate(t.Context(), "known"); err != nil {
			t.Fatal(err)
		}
		w.set(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
		sleep(5*time.Minute - time.Second)
		if _, err := k.Validate(t.Context(), "known"); err != nil {
			t.Error(err)
		}
		sleep(time.Second)
		if _, err := k.Validate(t.Context(), "known"); magnum.KindOf(err) != magnum.Unavailable {
			t.Errorf("%v", err)
		}
	})
}

// TestSlowProbe: a question that hangs since before Keystone came back holds
// nobody up.
func TestSlowProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, nil)
		w.set(hang)
		crowd(t, k, 10, "first")
		sleep(time.Second)
		go func() { _, _ = k.Validate(t.Context(), "probe") }()
		synctest.Wait()
		w.set(nil)
		sleep(time.Second)
		if _, err := k.Validate(t.Context(), "new"); err != nil {
			t.Error(err)
		}
		sleep(20 * time.Second) // the probe's time runs out
		if _, err := k.Validate(t.Context(), "newer"); err != nil {
			t.Error(err)
		}
	})
}

// TestFlood sends tokens that nobody issued: they cost Keystone a bounded
// number of questions at a time and nobody else's place in the cache.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, func(c *keystone.Config) { c.CacheSize = 64 })
		for i := range 16 {
			if _, err := k.Validate(t.Context(), fmt.Sprint("good-", i)); err != nil {
				t.Fatal(err)
			}
		}
		before := w.total()
		for i := range 5 {
			if _, kinds := crowd(t, k, 300, fmt.Sprint("bad-", i)); kinds[magnum.Unauthorized] != 300 {
				t.Fatalf("%v", kinds)
			}
		}
		if w.most > 32 {
			t.Errorf("%d questions at the same time", w.most)
		}
		after := w.total()
		if after-before != 1500 {
			t.Errorf("%d questions about 1,500 tokens", after-before)
		}
		for range 10 {
			if _, err := k.Validate(t.Context(), "bad-4-299"); magnum.KindOf(err) != magnum.Unauthorized {
				t.Fatal(err)
			}
		}
		if n := w.asked["bad-4-299"]; n > 2 {
			t.Errorf("one refused token cost %d questions", n)
		}
		here := w.total()
		for i := range 16 {
			if _, err := k.Validate(t.Context(), fmt.Sprint("good-", i)); err != nil {
				t.Fatal(err)
			}
		}
		if w.total() != here {
			t.Errorf("the flood drove %d good tokens out", w.total()-here)
		}
	})
}

// TestOddToken holds that one token that Keystone stumbles over does not lock
// the others out.
func TestOddToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, nil)
		if _, err := k.Validate(t.Context(), "warm"); err != nil {
			t.Fatal(err)
		}
		w.set(func(r *http.Request) (*http.Response, error) {
			if token := r.Header.Get("X-Subject-Token"); token != "odd" {
				return text(r, http.StatusOK, `{"token":{"expires_at":"2099-01-01T00:00:00Z","user":{"id":"u"}}}`), nil
			}
			return text(r, http.StatusInternalServerError, "{}"), nil
		})
		for range 50 {
			if _, err := k.Validate(t.Context(), "odd"); magnum.KindOf(err) != magnum.Unavailable {
				t.Fatal(err)
			}
		}
		if _, err := k.Validate(t.Context(), "fine"); err != nil {
			t.Error(err)
		}
	})
}

// TestRetries: what got no answer is asked again, but not for ever.
func TestRetries(t *testing.T) {
	for _, tc := range []struct{ retries, failing, want int }{{0, 1, 1}, {2, 1, 2}, {2, 2, 3}, {1, 2, 2}} {
		synctest.Test(t, func(t *testing.T) {
			k, w := overWire(t, func(c *keystone.Config) { c.Tokens.Retries = tc.retries })
			if _, err := k.Validate(t.Context(), "first"); err != nil {
				t.Fatal(err)
			}
			left := tc.failing
			w.set(func(r *http.Request) (*http.Response, error) {
				if left--; left >= 0 {
					return nil, errors.New("reset")
				}
				w.set(nil)
				return text(r, http.StatusOK, `{"token":{"expires_at":"2099-01-01T00:00:00Z","user":{"id":"u"}}}`), nil
			})
			_, err := k.Validate(t.Context(), "t")
			if ok := tc.failing <= tc.retries; (err == nil) != ok || w.asked["t"] != tc.want {
				t.Errorf("%+v: %v after %d", tc, err, w.asked["t"])
			}
		})
	}
}

// TestLockedOut: a wrong password is not tried over and over, or Keystone
// locks the account.
func TestLockedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, nil)
		w.refuseLogin = true
		if _, err := k.Validate(t.Context(), "alone"); magnum.KindOf(err) != magnum.Unavailable || w.logins != 1 {
			t.Errorf("%v after %d logins", err, w.logins)
		}
		if _, kinds := crowd(t, k, 1000, "t"); kinds[magnum.Unavailable] != 1000 {
			t.Errorf("%v", kinds)
		}
		if w.logins > 1+32+3 {
			t.Errorf("%d logins", w.logins)
		}
		first := w.logins
		for range 20 {
			crowd(t, k, 100, "u")
			sleep(500 * time.Millisecond)
		}
		if n := w.logins - first; n > 11 {
			t.Errorf("%d logins within 10 s", n)
		}
	})
}

// TestDeadlines: every caller waits for as long as it wants to, and its going
// away is its own affair.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, w := overWire(t, nil)
		if _, err := k.Validate(t.Context(), "warm"); err != nil {
			t.Fatal(err)
		}
		w.set(func(r *http.Request) (*http.Response, error) {
			sleep(3 * time.Second)
			return text(r, http.StatusOK, `{"token":{"expires_at":"2099-01-01T00:00:00Z","user":{"id":"u"}}}`), nil
		})
		start := time.Now()
		short, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		gone, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := k.Validate(short, "t"); magnum.KindOf(err) != magnum.Unavailable || time.Since(start) != time.Second {
				t.Errorf("the short one: %v after %s", err, time.Since(start))
			}
		})
		all.Go(func() {
			if _, err := k.Validate(gone, "t"); !errors.Is(err, context.Canceled) || time.Since(start) != 2*time.Second {
				t.Errorf("the one who left: %v after %s", err, time.Since(start))
			}
		})
		for range 100 {
			all.Go(func() {
				if _, err := k.Validate(t.Context(), "t"); err != nil || time.Since(start) != 3*time.Second {
					t.Errorf("the others: %v after %s", err, time.Since(start))
				}
			})
		}
		sleep(2 * time.Second)
		leave()
		all.Wait()
		if w.asked["t"] != 1 {
			t.Errorf("%d questions", w.asked["t"])
		}
	})
}
