package state

import (
	"strings"
	"testing"
	"time"
)

func TestParseConnection(t *testing.T) {
	for connection, want := range map[string]source{
		"sqlite:////var/lib/magnum.sqlite": {"/var/lib/magnum.sqlite", busyDefault},
		"sqlite:///magnum.sqlite":          {"magnum.sqlite", busyDefault},
		"sqlite+pysqlite:////a b/100%.db":  {"/a b/100%.db", busyDefault},
		"sqlite:////m.sqlite?timeout=2.5":  {"/m.sqlite", 2500 * time.Millisecond},
	} {
		got, err := parseConnection(connection)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", connection, got, err)
		}
	}
	for connection, want := range map[string]string{
		"":                       "is not set",
		"/var/lib/magnum.sqlite": "is not a URL",
		"mysql+pymysql://magnum:canary@db/magnum": "mysql is not supported yet; use sqlite:",
		"postgresql://magnum:canary@db/magnum":    "postgresql is not supported yet; use sqlite:",
		"oracle://magnum:canary@db/magnum":        `unknown database "oracle"`,
		"sqlite://":                               "name a file",
		"sqlite:///:memory:":                      "name a file",
		"sqlite://canary/magnum.sqlite":           "SQLite has no host",
		"sqlite:////m.sqlite?cache=shared":        `unknown option "cache"`,
		"sqlite:////m.sqlite?timeout=soon":        "number of seconds",
		"sqlite:////m.sqlite?timeout=-1":          "number of seconds",
		"sqlite:////m.sqlite?_pragma=%zz":         "cannot be read",
	} {
		_, err := parseConnection(connection)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", connection, err, want)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error shows the password: %v", connection, err)
		}
	}
}
