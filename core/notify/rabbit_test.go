package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/state"
)

// rabbitEnv has the transport URL of a RabbitMQ that tests may use: they make
// exchanges and queues of names of their own there, and remove them.
const rabbitEnv = "MAGNUM_TEST_RABBITMQ"

// broker is a RabbitMQ with an exchange and two topics of the test's own.
type broker struct {
	testing.TB
	rabbit *rabbit
	ch     *amqp.Channel
}

func newBroker(t testing.TB, driver string, change func(*config.Config)) *broker {
	t.Helper()
	url := os.Getenv(rabbitEnv)
	if url == "" {
		t.Skipf("no RabbitMQ: %s has no transport URL", rabbitEnv)
	}
	id := "magnum-test-" + uuid.NewString()[:8]
	c := &config.Config{}
	c.Default.TransportURL, c.Default.ControlExchange = config.NewSecret(url), id
	c.OsloNotifications.Driver, c.OsloNotifications.Topics = []string{driver}, []string{id + "-a", id + "-b"}
	if change != nil {
		change(c)
	}
	all, err := Senders(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{TB: t, rabbit: all[0].(*rabbit)}
	n := b.rabbit.bus.nodes[len(b.rabbit.bus.nodes)-1]
	socket, err := net.Dial("tcp", n.address())
	b.must(err)
	conn, err := amqp.Open(socket, amqp.Config{SASL: []amqp.Authentication{&amqp.PlainAuth{Username: n.user, Password: n.password.Reveal()}}, Vhost: b.rabbit.bus.vhost})
	b.must(err)
	b.ch, err = conn.Channel()
	b.must(err)
	t.Cleanup(func() {
		b.rabbit.Close()
		for _, topic := range b.rabbit.topics {
			for _, priority := range []string{".info", ".error"} {
				_, err := b.ch.QueueDelete(topic+priority, false, false, false)
				b.must(err)
			}
		}
		b.must(b.ch.ExchangeDelete(id, false, false))
		b.must(conn.Close())
	})
	return b
}

func (b *broker) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *broker) send(all ...state.Message) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), sendWithin)
	defer cancel()
	sent, err := b.rabbit.Send(ctx, all)
	if err != nil || cmp.Diff(all, sent) != "" {
		b.Fatalf("sent %v of %v, %v", sent, all, err)
	}
}

// take takes what is in a queue.
func (b *broker) take(queue string) (all []amqp.Delivery) {
	b.Helper()
	for {
		d, there, err := b.ch.Get(queue, true)
		b.must(err)
		if !there {
			return all
		}
		all = append(all, d)
	}
}

func message1(id int64, priority string) state.Message {
	return state.Message{ID: id, ClusterUUID: fmt.Sprint(id), Priority: priority, Body: fmt.Sprintf(`{"n": %d}`, id)}
}

// Each topic has a queue for each priority, in which the messages are before
// there is any consumer, in oslo.messaging's envelope or without.
func TestRabbit(t *testing.T) {
	for driver, body := range map[string]string{
		"messagingv2": `{"oslo.version":"2.0","oslo.message":"{\"n\": %d}"}`, "messaging": `{"n": %d}`,
	} {
		b := newBroker(t, driver, nil)
		b.send(message1(1, "INFO"), message1(2, "ERROR"), message1(3, "INFO"))
		b.send(message1(4, "INFO"))
		for _, topic := range b.rabbit.topics {
			for queue, want := range map[string][]int{topic + ".info": {1, 3, 4}, topic + ".error": {2}} {
				got := b.take(queue)
				if len(got) != len(want) {
					t.Fatalf("%s: %d messages in %s", driver, len(got), queue)
				}
				for i, d := range got {
					if string(d.Body) != fmt.Sprintf(body, want[i]) || d.ContentType != "application/json" || d.ContentEncoding != "utf-8" ||
						d.DeliveryMode != amqp.Persistent || d.Exchange != b.rabbit.exchange || d.RoutingKey != queue || !json.Valid(d.Body) {
						t.Errorf("%s: in %s as %d: %+v", driver, queue, i, d)
					}
				}
			}
		}
	}
}

// What is there already is used as it is; what is not is made as the options say.
func TestRabbitDurable(t *testing.T) {
	for _, durable := range []bool{false, true} {
		b := newBroker(t, "messagingv2", func(c *config.Config) { c.OsloRabbit.DurableQueues = durable })
		b.must(b.ch.ExchangeDeclare(b.rabbit.exchange, "topic", !durable, false, false, false, nil))
		first, second := b.rabbit.topics[0]+".info", b.rabbit.topics[1]+".info"
		_, err := b.ch.QueueDeclare(first, !durable, false, false, false, nil)
		b.must(err)
		b.send(message1(1, "INFO"))
		if got := b.take(first); len(got) != 1 {
			t.Errorf("%d messages in a queue that was there", len(got))
		}
		_, err = b.ch.QueueDeclare(second, durable, false, false, false, nil) // an error, if it is otherwise
		b.must(err)
	}
}

// A queue that goes and a connection that breaks cost a repeat, no message; and
// of several nodes one that is away is passed over.
func TestRabbitMends(t *testing.T) {
	b := newBroker(t, "messagingv2", func(c *config.Config) {
		away := "rabbit://" + closed(t) + "," + strings.TrimPrefix(c.Default.TransportURL.Reveal(), "rabbit://")
		c.OsloNotifications.TransportURL = config.NewSecret(away)
	})
	b.send(message1(1, "INFO"))
	queue := b.rabbit.topics[1] + ".info"
	_, err := b.ch.QueueDelete(queue, false, false, false)
	b.must(err)
	sent, err := b.rabbit.Send(t.Context(), []state.Message{message1(2, "INFO")})
	if len(sent) != 0 || err == nil || !strings.HasSuffix(err.Error(), " has not taken 1 of 1 messages") {
		t.Errorf("no queue is there: %v, %v", sent, err)
	}
	b.send(message1(2, "INFO"))
	b.rabbit.socket.Close()
	for b.rabbit.channel != nil && !b.rabbit.channel.IsClosed() {
		<-time.After(time.Millisecond)
	}
	b.send(message1(3, "INFO"))
	if got := b.take(queue); len(got) != 2 {
		t.Errorf("%d messages", len(got))
	}
}

// What the broker refuses is not sent, though what was with it is.
func TestRabbitRefuses(t *testing.T) {
	b := newBroker(t, "messagingv2", nil)
	full := b.rabbit.topics[0] + ".info"
	_, err := b.ch.QueueDeclare(full, false, false, false, false, amqp.Table{amqp.QueueMaxLenArg: 1, amqp.QueueOverflowArg: amqp.QueueOverflowRejectPublish})
	b.must(err)
	b.send(message1(1, "INFO"))
	second, third := message1(2, "INFO"), message1(3, "ERROR")
	sent, err := b.rabbit.Send(t.Context(), []state.Message{second, third})
	if diff := cmp.Diff([]state.Message{third}, sent); diff != "" || err == nil {
		t.Errorf("%v, sent (-want +got):\n%s", err, diff)
	}
	b.take(full)
	b.send(second)
}

func TestRabbitWrongPassword(t *testing.T) {
	b := newBroker(t, "messagingv2", nil)
	b.rabbit.bus.nodes[0].password = config.NewSecret("canary")
	sent, err := b.rabbit.Send(t.Context(), []state.Message{message1(1, "INFO")})
	if len(sent) != 0 || err == nil || strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), "connect to RabbitMQ at ") {
		t.Errorf("sent %v, %v", sent, err)
	}
}

// closed is an address where nobody answers.
func closed(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A bus that is away, or takes connections and says nothing, holds a call up no
// longer than its context; the next one begins with another node.
func TestRabbitAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // connections are taken by the kernel
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	away := closed(t)
	c := &config.Config{}
	c.Default.TransportURL = config.NewSecret("rabbit://u:canary@" + away + ",u:canary@" + l.Addr().String() + "/")
	r, err := newRabbit(c, true)
	if err != nil {
		t.Fatal(err)
	}
	for try, want := range []string{away, l.Addr().String()} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		begin := time.Now()
		sent, err := r.Send(ctx, []state.Message{message1(1, "INFO")})
		cancel()
		if took := time.Since(begin); len(sent) != 0 || took > 5*time.Second {
			t.Errorf("%d: sent %v after %s", try, sent, took)
		}
		if err == nil || !strings.Contains(err.Error(), "connect to RabbitMQ at "+want+": ") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%d: got %v", try, err)
		}
	}
}
