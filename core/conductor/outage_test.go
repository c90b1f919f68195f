package conductor

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/magnum"
)

// withoutOperations has the database fail whoever asks for operations, until they
// are back.
func (b *bench) withoutOperations() (back func()) {
	b.Helper()
	rename := func(from, to string) {
		raw, err := sql.Open("sqlite3", "file:"+b.path)
		b.must(err)
		defer raw.Close()
		_, err = raw.Exec("ALTER TABLE " + from + " RENAME TO " + to)
		b.must(err)
	}
	rename("operation", "away")
	return func() { rename("away", "operation") }
}

// TestOutageIsLoggedOnce has Heat and then the database away for long. The log
// has a line when that begins, for each operation that it is in the way of one,
// and a line when it ends; not one for each try.
func TestOutageIsLoggedOnce(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	c.Logger.SetLevel(hclog.Info)
	lines := func(part string) int { return strings.Count(b.log.String(), part) }
	tries := 0
	b.heat.SetBefore(func(w http.ResponseWriter, _ *http.Request) bool {
		tries++
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	uuid := b.create(nil)
	b.until("Heat was asked often", func() bool { return tries > 50 }, c)
	b.heat.SetBefore(nil)
	if got := b.settled(uuid, c); got.Status != magnum.CreateComplete {
		t.Fatalf("the cluster is %s: %s", got.Status, got.StatusReason)
	}
	for part, want := range map[string]int{"phase put off": 1, "operation claimed": 1, "operation complete": 1} {
		if n := lines(part); n != want {
			t.Errorf("%q has %d lines after %d tries, want %d:\n%s", part, n, tries, want, b.log)
		}
	}

	b.heat.SetHold(true)
	b.create(func(c *magnum.Cluster) { c.Name = "second" })
	b.until("the stack is followed", func() bool { return c.follower.len() == 1 }, c)
	back := b.withoutOperations()
	for range 50 { // shorter than the lease
		turn(t.Context(), c)
		b.clock.Advance(100 * time.Millisecond)
	}
	back()
	for range 5 {
		turn(t.Context(), c)
	}
	for part, want := range map[string]int{
		"cannot claim operations": 1, "can claim operations again": 1, "cannot look at leases": 1, "can look at leases again": 1,
	} {
		if n := lines(part); n != want {
			t.Errorf("%q has %d lines, want %d:\n%s", part, n, want, b.log)
		}
	}
	c.giveBack(t.Context())
}
