package server

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/magnum"
)

// lines is a log that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// What the API accepts is told where notifications are turned on, by the
// conductor, under the name of the host that accepted it; and not otherwise.
func TestNotifications(t *testing.T) {
	for more, want := range map[string]int{"": 0, "[oslo_messaging_notifications]\ndriver = noop\n": 0, "[oslo_messaging_notifications]\ndriver = log\n": 1} {
		log := &lines{}
		p, err := newProcess(t, hclog.New(&hclog.LoggerOptions{Output: log}), "[DEFAULT]\nhost = host-7\n"+more)
		if err != nil {
			t.Fatal(err)
		}
		ct := &magnum.ClusterTemplate{Name: "t", ProjectID: "p"}
		if err := p.db.CreateTemplate(t.Context(), ct); err != nil {
			t.Fatal(err)
		}
		c := &magnum.Cluster{Name: "c", ProjectID: "p", ClusterTemplateID: ct.UUID, Status: magnum.CreateInProgress}
		if err := p.db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
			t.Fatal(err)
		}
		if all, err := p.db.Outbox(t.Context(), 9); err != nil || len(all) != want {
			t.Errorf("%q: %d wait, %v", more, len(all), err)
		}
		if want == 0 {
			if p.drain() != nil {
				t.Errorf("%q: something sends", more)
			}
			continue
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.conduct(ctx, nil) }()
		line := `oslo.messaging.notification.magnum.cluster.create: {"message_id":`
		for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); {
			if all, err := p.db.Outbox(t.Context(), 9); err == nil && len(all) == 0 && strings.Contains(log.String(), line) {
				break
			}
			<-time.After(5 * time.Millisecond)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if text := log.String(); !strings.Contains(text, line) || !strings.Contains(text, `"publisher_id":"container-infra.host-7"`) {
			t.Errorf("%q: not told\n%s", more, text)
		}
	}
}

func TestUnknownNotificationDriver(t *testing.T) {
	_, err := newProcess(t, hclog.NewNullLogger(), "[oslo_messaging_notifications]\ndriver = messagingv2\ndriver = carrier-pigeon\n")
	if err == nil || !strings.Contains(err.Error(), `[oslo_messaging_notifications] driver is "carrier-pigeon"`) {
		t.Errorf("got %v", err)
	}
}
