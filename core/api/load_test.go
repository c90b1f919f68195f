package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// connections is how many clients ask at the same time.
const connections = 64

// load asks a handler over real connections, and keeps how it did.
type load struct {
	testing.TB
	address string
	client  *http.Client
	ask     func() *http.Request

	// Of turns: requests a second, the slowest but one of a hundred in
	// milliseconds, and the processors' time for a request, client and all, in
	// microseconds.
	rates, p99s, costs []float64
}

// newLoad serves a handler on a port of its own until the test ends.
func newLoad(t testing.TB, h http.Handler, ask func() *http.Request) *load {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		_ = srv.Close()
		<-done
	})
	return &load{TB: t, address: l.Addr().String(), client: client, ask: ask}
}

// get makes requests as the openstack client does.
func get(path, token string) func() *http.Request {
	return func() *http.Request {
		r, err := http.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			panic(err)
		}
		r.Header.Set("X-Auth-Token", token)
		r.Header.Set("OpenStack-API-Version", "container-infra latest")
		r.Header.Set("Accept", "application/json")
		return r
	}
}

// one sends a request and returns the answer's status.
func (l *load) one(r *http.Request) int {
	r.URL.Scheme, r.URL.Host = "http", l.address
	resp, err := l.client.Do(r)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// turn asks for a while. Every answer must be 200.
func (l *load) turn(while time.Duration) {
	l.Helper()
	runtime.GC() // of what the other left
	var failed atomic.Int64
	var all [connections][]time.Duration
	var clients sync.WaitGroup
	started, busy := time.Now(), processorTime()
	end := started.Add(while)
	for i := range all {
		clients.Go(func() {
			for at := time.Now(); at.Before(end); {
				if l.one(l.ask()) != http.StatusOK {
					failed.Add(1)
				}
				now := time.Now()
				all[i] = append(all[i], now.Sub(at))
				at = now
			}
		})
	}
	clients.Wait()
	elapsed := time.Since(started)
	busy = processorTime() - busy
	if n := failed.Load(); n > 0 {
		l.Errorf("%d requests failed", n)
	}
	took := slices.Sorted(slices.Values(slices.Concat(all[:]...)))
	l.rates = append(l.rates, float64(len(took))/elapsed.Seconds())
	l.costs = append(l.costs, float64(busy.Nanoseconds())/1000/float64(len(took)))
	l.p99s = append(l.p99s, float64(took[len(took)*99/100].Microseconds())/1000)
}

// rate, p99 and cost are those of the turn in the middle.
func (l *load) rate() float64 { return median(l.rates) }
func (l *load) p99() float64  { return median(l.p99s) }
func (l *load) cost() float64 { return median(l.costs) }

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
