package notify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/config"
)

func TestParseBus(t *testing.T) {
	one := func(user, password, address string) string { return user + " " + password + " " + address }
	for url, want := range map[string][]string{ // nodes, vhost, ssl
		"rabbit://":                                        {one("guest", "guest", "localhost:5672"), "/", "unset"},
		"rabbit:///":                                       {one("guest", "guest", "localhost:5672"), "/", "unset"},
		"rabbit://u:p@192.0.2.1:5671/":                     {one("u", "p", "192.0.2.1:5671"), "/", "unset"},
		"rabbit://u:p@host:5672//":                         {one("u", "p", "host:5672"), "/", "unset"},
		"rabbit://u:p@host:5672/%2F":                       {one("u", "p", "host:5672"), "/", "unset"},
		"kombu://u:p@host/openstack":                       {one("u", "p", "host:5672"), "openstack", "unset"},
		"rabbit://u:p@h1:1,v@w:a%40%3A%2Fb@h2:2/x?ssl=1":   {one("u", "p", "h1:1"), one("v@w", "a@:/b", "h2:2"), "x", "true"},
		"rabbit://u:p:q@[2001:db8::1]:5672,[2001:db8::2]/": {one("u", "p:q", "[2001:db8::1]:5672"), one("guest", "guest", "[2001:db8::2]:5672"), "/", "unset"},
		"rabbit://u:100%@host/?ssl=0":                      {one("u", "100%", "host:5672"), "/", "false"},
	} {
		b, err := parseBus(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		var got []string
		for _, n := range b.nodes {
			got = append(got, one(n.user, n.password.Reveal(), n.address()))
		}
		ssl := "unset"
		if b.ssl != nil {
			ssl = fmt.Sprint(*b.ssl)
		}
		if diff := cmp.Diff(want, append(got, b.vhost, ssl)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", url, diff)
		}
	}
}

// What cannot be sent with is refused at the start, by the option's name and
// without a password.
func TestSendersRefuse(t *testing.T) {
	for _, tc := range []struct{ driver, own, common, want string }{
		{"kafka", "", "", `[oslo_messaging_notifications] driver is "kafka", and this release has messagingv2, messaging, log and noop`},
		{"messagingv2", "", "amqp://u:canary@h/", "[DEFAULT] transport_url is not for RabbitMQ: it must begin with rabbit://"},
		{"messaging", "u:canary@h", "rabbit://", "[oslo_messaging_notifications] transport_url has no rabbit:// in front"},
		{"messagingv2", "", "rabbit://u:canary@h:port/", "[DEFAULT] transport_url has a port that is no number"},
		{"messagingv2", "", "rabbit://u:can/ary@h/", "[DEFAULT] transport_url has a port that is no number"}, // it ends at the slash
		{"messagingv2", "", "rabbit://u:canary@h/?heartbeat=1", `[DEFAULT] transport_url sets "heartbeat" behind the question mark`},
		{"messagingv2", "", "rabbit://u:canary@h/?ssl=perhaps", `[DEFAULT] transport_url sets "ssl" behind the question mark`},
		{"messagingv2", "", "rabbit://h/?ssl=%zz", "[DEFAULT] transport_url has a malformed part"},
		{"messagingv2", "", "rabbit://h/?ssl=1", "[oslo_messaging_rabbit] ssl_ca_file: open /nowhere/ca.pem"},
	} {
		c := &config.Config{}
		c.OsloNotifications.Driver = []string{"log", tc.driver}
		c.OsloNotifications.TransportURL, c.Default.TransportURL = config.NewSecret(tc.own), config.NewSecret(tc.common)
		c.OsloRabbit.SSLCAFile = "/nowhere/ca.pem"
		senders, err := Senders(c, hclog.NewNullLogger())
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "canary") || senders != nil {
			t.Errorf("%s: got %v, want %s", tc.driver, err, tc.want)
		}
	}
}

func TestSenders(t *testing.T) {
	c := &config.Config{}
	c.Default.TransportURL = config.NewSecret("rabbit://")
	for drivers, want := range map[string]string{
		"": "[]", ",": "[]", "noop": "[]", "log": "[notify.logSender]", "log,noop,log": "[notify.logSender]",
		"log,messagingv2,messaging": "[*notify.rabbit *notify.rabbit notify.logSender]",
	} {
		c.OsloNotifications.Driver = strings.Split(drivers, ",")
		all, err := Senders(c, hclog.NewNullLogger())
		got := []string{}
		for _, s := range all {
			got = append(got, fmt.Sprintf("%T", s))
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", drivers, got, err)
		}
	}
}
