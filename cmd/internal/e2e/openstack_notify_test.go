package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"
)

// told looks for what RabbitMQ was told of a cluster that is gone: the whole of
// its life, in order, and no failure.
func (r *deployment) told(cluster string) {
	r.t.Helper()
	conn, err := amqp.Dial(r.bus())
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		r.t.Fatal(err)
	}
	var all []string
	poll(r.t, 20*time.Second, "the last notification", func() (bool, error) {
		more, err := eventsIn(r.t, channel, "magnum.info", cluster)
		all = append(all, more...)
		return len(all) > 0 && all[len(all)-1] == "delete success", err
	})
	begun := []string{"create pending", "create success", "update pending", "update success", "update pending", "update success"}
	if len(all) < len(begun)+2 {
		r.t.Fatalf("told: %v", all)
	}
	if diff := cmp.Diff(begun, all[:len(begun)]); diff != "" {
		r.t.Errorf("what was told first (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"delete pending", "delete success"}, all[len(all)-2:]); diff != "" {
		r.t.Errorf("what was told last (-want +got):\n%s", diff)
	}
	failures, err := eventsIn(r.t, channel, "magnum.error", cluster)
	var none *amqp.Error // the first failure makes the queue
	if noQueue := errors.As(err, &none) && none.Code == amqp.NotFound; len(failures) > 0 || err != nil && !noQueue {
		r.t.Errorf("failures that were told: %v, %v", failures, err)
	}
}

// eventsIn takes all that is in a queue, and returns what is of one cluster.
func eventsIn(t *testing.T, channel *amqp.Channel, queue, cluster string) (all []string, err error) {
	t.Helper()
	for {
		d, some, err := channel.Get(queue, true)
		if err != nil || !some {
			return all, err
		}
		if id, what := eventOf(t, d.Body); id == cluster {
			all = append(all, what)
		}
	}
}

// bus is the address of the lab's RabbitMQ, as its own clients write it.
func (r *deployment) bus() string {
	r.t.Helper()
	conf, err := os.ReadFile(r.conf)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(conf)) {
		if _, address, ok := strings.Cut(line, "transport_url = rabbit"); ok {
			return "amqp" + strings.TrimRight(address, "/\n")
		}
	}
	r.t.Fatal("magnum.conf names no RabbitMQ")
	return ""
}

// eventOf is the cluster of a notification, and what happens to it.
func eventOf(t *testing.T, body []byte) (cluster, what string) {
	t.Helper()
	var envelope struct {
		Message string `json:"oslo.message"`
	}
	var message struct {
		Payload struct {
			Action, Outcome string
			Target          struct{ ID string }
		}
	}
	err := json.Unmarshal(body, &envelope)
	if err == nil {
		err = json.Unmarshal([]byte(envelope.Message), &message)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	p := message.Payload
	return p.Target.ID, p.Action + " " + p.Outcome
}
