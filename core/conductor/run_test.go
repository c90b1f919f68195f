package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// The loops themselves, on the real clock: a create that is accepted while the
// conductor runs is taken up at once, and the end of its stack shows within
// two seconds.
func TestRun(t *testing.T) {
	b := newBench(t)
	b.heat.Hold = true
	wake := make(chan struct{}, 1)
	c := b.conductor()
	c.Wake, c.Now = wake, time.Now
	c.Poll = time.Hour // only the wake-up can do it
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	uuid := b.create(nil)
	wake <- struct{}{}
	eventually(t, func() bool { return len(b.heat.Stacks()) == 1 })
	eventually(t, func() bool { return strings.HasPrefix(b.cluster(uuid).StatusReason, "waiting for stack ") })
	b.heat.SetHold(false)
	finished := time.Now()
	eventually(t, func() bool { return b.cluster(uuid).Status == magnum.CreateComplete })
	if took := time.Since(finished); took > 2*time.Second {
		t.Errorf("the end of the stack showed after %s", took)
	}
	services, err := b.db.Services(t.Context())
	b.must(err)
	if len(services) != 1 || services[0].Host != "host-1" || services[0].Binary != "magnum-conductor" {
		t.Errorf("services %+v", services)
	}
	// What is under way when it stops is free for the next one at once.
	b.heat.SetHold(true)
	second := b.create(nil)
	wake <- struct{}{}
	eventually(t, func() bool { return len(b.heat.Stacks()) == 2 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	op, err := b.db.ActiveOperation(t.Context(), second)
	b.must(err)
	if op == nil || !op.LeaseUntil.IsZero() {
		t.Errorf("the operation is held until %v", op)
	}
}

func eventually(t testing.TB, done func() bool) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-limit.C:
			t.Fatal("never")
		}
	}
}

// Many stacks of a project are followed with few calls, and nobody's end is
// missed.
func TestFollowMany(t *testing.T) {
	const many = 95
	b := newBench(t)
	b.heat.Hold = true
	c := b.conductor()
	var clusters []string
	for i := range many {
		clusters = append(clusters, b.create(func(m *magnum.Cluster) { m.Name = fmt.Sprintf("c%d", i) }))
	}
	for c.held.len() < many {
		c.claim(t.Context())
		c.busy.Wait()
	}
	before := len(b.heat.Calls())
	c.pass(t.Context())
	c.busy.Wait()
	if calls := b.heat.Calls()[before:]; len(calls) > 3 {
		t.Errorf("%d calls for %d stacks: %v", len(calls), many, calls[:3])
	}
	b.heat.SetHold(false)
	for _, uuid := range clusters {
		if got := b.settled(uuid, c); got.Status != magnum.CreateComplete {
			t.Fatalf("%s %q", got.Status, got.StatusReason)
		}
	}
	if n := len(b.heat.Stacks()); n != many {
		t.Errorf("%d stacks for %d clusters", n, many)
	}
}

// A conductor that is stuck in Heat's answer to a create holds on to it until
// it knows, also when a delete comes.
func TestCreateOnItsWayIsNotCalledOff(t *testing.T) {
	b := newBench(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	b.heat.Before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && once.CompareAndSwap(false, true) {
			close(asked)
			<-answer
		}
		return false
	}
	c, other := b.conductor(), b.conductor()
	uuid := b.create(nil)
	c.claim(t.Context())
	<-asked
	b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
	b.clock.Advance(c.Lease + time.Second) // longer than a lease
	c.keepAll(t.Context())                 // it hears of the delete
	turn(t.Context(), other)
	if op, err := b.db.ActiveOperation(t.Context(), uuid); err != nil || op.Owner != "" {
		t.Fatalf("the delete was begun by %q, %v", op.Owner, err)
	}
	close(answer)
	c.busy.Wait()
	b.destroyed(uuid, other)
	b.nothingLeft(uuid)
}

// No secret is in anything but Heat's parameters: not in logs, errors, status
// reasons, operations, what drivers are asked, or what others are told.
func TestSecretsStaySecret(t *testing.T) {
	b := newBench(t)
	b.options.Trust.ClusterUserTrust = true
	// A Heat that repeats what it was sent in every refusal.
	refusals := 0
	b.heat.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || refusals > 1 {
			return false
		}
		refusals++
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in) // as sent by us
		code := http.StatusServiceUnavailable
		if refusals == 2 {
			code = http.StatusBadRequest
		}
		heattest.Refuse(w, code, fmt.Sprintf("bad parameters: %v", in["parameters"]))
		return true
	}
	c := b.conductor()
	first := b.create(nil)
	firstRow := b.settled(first, c)
	if firstRow.Status != magnum.CreateFailed || !strings.Contains(firstRow.StatusReason, "bad parameters: map[") {
		t.Fatalf("%s %q", firstRow.Status, firstRow.StatusReason)
	}
	// A template that does not hide its parameters.
	b.heat.New = func(s *heattest.Stack) { s.Parameters, _ = s.Body["parameters"].(map[string]any) }
	second := b.create(nil)
	secondRow := b.settled(second, c)
	b.delete(first)
	b.destroyed(first, c)
	sent, _ := b.heat.Stacks()[0].Body["parameters"].(map[string]any)
	if sent["trust"] != secondRow.TrustID || sent["password"] != secondRow.TrusteePassword {
		t.Fatal("the canaries are not where they belong")
	}

	var told strings.Builder
	fmt.Fprintf(&told, "%s\n%+v\n%+v\n%s\n", b.log, b.driver.renders, b.driver.outputs, firstRow.StatusReason)
	for _, uuid := range []string{first, second} {
		ops, err := b.db.Operations(t.Context(), uuid)
		b.must(err)
		for _, op := range ops {
			fmt.Fprintf(&told, "%s %s %s %q\n", op.Data, op.Input, op.LastError, op.SealedToken)
		}
	}
	waiting, err := b.db.Outbox(t.Context(), 100)
	b.must(err)
	for _, m := range waiting {
		told.WriteString(m.Body)
	}
	canaries := map[string]string{
		"account password": keystonetest.Password, "token": "secret-token-", "trust": "secret-trust-",
		"first trustee's password": firstRow.TrusteePassword, "second trustee's password": secondRow.TrusteePassword,
		"private key": "PRIVATE KEY",
	}
	for what, canary := range canaries {
		if canary == "" || strings.Contains(told.String(), canary) {
			t.Errorf("the %s was told", what)
		}
	}
}

// A cluster that upstream made has no driver on record: its type decides.
func TestAdoptedClusterGetsTheDriverOfItsType(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	_, err := c.driverOfType(t.Context(), b.template)
	if driver.ClassOf(err) != driver.ClassNotFound || err.Error() != "Cluster type (vm, fedora-atomic, kubernetes) not supported." {
		t.Errorf("no driver: %v", err)
	}
	kind := func(priority int) driver.Description {
		return driver.Description{ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes", Priority: priority}}}
	}
	b.must(b.db.PublishDrivers(t.Context(), "h", []state.Driver{
		{Name: "low", Version: "1.0.0", Active: true, Description: kind(1)},
		{Name: "high", Version: "2.0.0", Active: true, Description: kind(2)},
		{Name: "idle", Version: "3.0.0", Description: kind(3)},
	}))
	got, err := c.driverOfType(t.Context(), b.template)
	if want := (magnum.DriverRef{Name: "high", Version: "2.0.0"}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	b.must(b.db.PublishDrivers(t.Context(), "h", []state.Driver{
		{Name: "one", Version: "1.0.0", Active: true, Description: kind(2)},
		{Name: "low", Version: "1.0.0", Active: true, Description: kind(1)},
		{Name: "two", Version: "1.0.0", Active: true, Description: kind(2)},
	}))
	_, err = c.driverOfType(t.Context(), b.template)
	if driver.ClassOf(err) != driver.ClassPrecondition || !strings.Contains(err.Error(), "is supported by one and by two;") {
		t.Errorf("two of equal priority: %v", err)
	}
}
