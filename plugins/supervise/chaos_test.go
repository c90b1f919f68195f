package supervise_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	chaosDefault  = 5 * time.Second
	chaosCallers  = 16
	chaosDeadline = 500 * time.Millisecond
	// chaosSlack is for a machine with other work: a caller that waits for
	// longer waits for something that nobody bounds.
	chaosSlack = 3 * time.Second
)

// The disasters: calls by what the test driver is told, and signals.
func disasters() []string {
	return []string{
		"SIGKILL", "SIGSTOP", "exit", "panic", "crash", "flood", "log:" + strings.Repeat("long ", 20_000),
		"grandchild:in the group", "grandchild:escape", "size:" + strconv.Itoa(20<<20), "hang", "stuck", "mute",
	}
}

// deck deals disasters in an order that its seed gives, all of them before one
// comes again.
type deck struct {
	mu    sync.Mutex
	rand  *rand.Rand
	cards []string
	dealt map[string]int
}

// next is a disaster, or in most cases nothing but a call.
func (d *deck) next() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rand.IntN(8) > 0 {
		return "size:1000"
	}
	if len(d.cards) == 0 {
		d.cards = disasters()
		d.rand.Shuffle(len(d.cards), func(a, b int) { d.cards[a], d.cards[b] = d.cards[b], d.cards[a] })
	}
	card := d.cards[0]
	d.cards = d.cards[1:]
	d.dealt[card]++
	return card
}

// TestChaos has 16 callers of a driver to which all happens that can. CHAOS=60s
// makes it longer, CHAOS_SEED repeats an order.
func TestChaos(t *testing.T) {
	lasts := chaosDefault
	if text := os.Getenv("CHAOS"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CHAOS=%s CHAOS_SEED=%d", lasts, seed)

	s, install := ownStore(t)
	install(otherDriver)
	mark := "CHAOS_MARK=" + strconv.FormatUint(seed, 36) + "-" + strconv.Itoa(os.Getpid())
	cfg := config(t, mark)
	cfg.Store = s
	cfg.CrashDir = filepath.Join(t.TempDir(), "crashes")
	cfg.CrashLimit = 1 << 30 // the breaker has a test of its own, and would end this one
	cfg.BackoffBase, cfg.BackoffLimit = time.Millisecond, 10*time.Millisecond
	cfg.CallTimeout, cfg.ProbeInterval, cfg.ProbeTimeout = time.Second, 200*time.Millisecond, 200*time.Millisecond
	cfg.DumpTimeout = 200 * time.Millisecond
	cfg.Launch.DrainTimeout, cfg.Launch.TermTimeout = 200*time.Millisecond, 200*time.Millisecond
	before := descriptors(t)
	d := supervise.New(cfg)

	// The other driver, first without any chaos.
	other := &neighbour{drivers: d}
	quiet := other.p99(t, time.Second)

	end := time.Now().Add(lasts)
	cards := &deck{rand: rand.New(rand.NewPCG(seed, 0)), dealt: map[string]int{}}
	var (
		all              sync.WaitGroup
		answered, failed atomic.Int64
		longest          atomic.Int64
	)
	for range chaosCallers {
		all.Go(func() {
			for time.Now().Before(end) {
				begin := time.Now()
				err := disaster(d, cards.next())
				took := time.Since(begin)
				for seen := longest.Load(); int64(took) > seen && !longest.CompareAndSwap(seen, int64(took)); seen = longest.Load() {
				}
				if err == nil {
					answered.Add(1)
				} else {
					failed.Add(1)
					if driver.ClassOf(err) == "" {
						t.Errorf("an error without a class: %v", err)
					}
				}
			}
		})
	}
	loud := other.p99(t, lasts)
	all.Wait()
	if took := time.Duration(longest.Load()); took > chaosDeadline+chaosSlack {
		t.Errorf("a caller with %s of time waited %s", chaosDeadline, took)
	}
	if bound := max(20*quiet, time.Second); loud > bound {
		t.Errorf("the other driver's p99 was %s and became %s, more than %s", quiet, loud, bound)
	}
	if answered.Load() == 0 {
		t.Error("no call was answered")
	}
	for _, card := range disasters() {
		if cards.dealt[card] == 0 && lasts >= 30*time.Second {
			t.Errorf("%.20s never happened", card)
		}
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	var left []string
	until(t, "no process is left", func() bool { left = marked(t, mark); return len(left) == 0 })
	until(t, "no descriptor is left", func() bool { return descriptors(t) <= before })
	t.Logf("%d calls answered, %d failed, the longest took %s; the other driver's p99 %s, without chaos %s; restarts %d; dealt %s",
		answered.Load(), failed.Load(), time.Duration(longest.Load()), loud, quiet, restarts(d), dealt(cards.dealt))
}

// disaster brings one about, with a caller's deadline.
func disaster(d *supervise.Drivers, card string) error {
	ctx, cancel := context.WithTimeout(context.Background(), chaosDeadline)
	defer cancel()
	if signal, ok := map[string]syscall.Signal{"SIGKILL": syscall.SIGKILL, "SIGSTOP": syscall.SIGSTOP}[card]; ok {
		// The process in the status may have been reaped since, but Linux
		// does not use a number again so soon.
		if pid := of(d, "1.0.0").PID; pid != 0 {
			_ = syscall.Kill(pid, signal)
		}
		card = "size:1000"
	}
	set, err := d.Get(ctx, "test-driver", "")
	if err == nil {
		_, err = ask(ctx, set, card)
	}
	return err
}

// neighbour is a caller of another driver.
type neighbour struct{ drivers *supervise.Drivers }

func (n *neighbour) p99(t *testing.T, lasts time.Duration) time.Duration {
	t.Helper()
	var took []time.Duration
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for end := time.Now().Add(lasts); time.Now().Before(end); <-pace.C {
		begin := time.Now()
		set, err := n.drivers.Get(context.Background(), "other-driver", "")
		if err == nil {
			_, err = ask(context.Background(), set, "size:1000")
		}
		if err != nil {
			t.Errorf("the other driver: %v", err)
			return 0
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// marked lists the processes that have a variable in their environment.
func marked(t *testing.T, variable string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		if env, err := os.ReadFile(f); err == nil && slices.Contains(strings.Split(string(env), "\x00"), variable) {
			found = append(found, f)
		}
	}
	return found
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

func restarts(d *supervise.Drivers) (n int) {
	for _, s := range d.Status() {
		n += s.Restarts
	}
	return n
}

func dealt(cards map[string]int) string {
	var all []string
	for card, n := range cards {
		all = append(all, fmt.Sprintf("%.12s %d", card, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
