package keystone

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// lookups counts where what is known of tokens comes from.
type lookups struct{ cache, memcached, keystone prometheus.Counter }

func newLookups(reg prometheus.Registerer) lookups {
	from := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "magnum_token_lookups_total",
		Help: "Times a token was looked up, by where the answer came from; requests with one token at the same time share a question to Keystone.",
	}, []string{"from"})
	return lookups{from.WithLabelValues("cache"), from.WithLabelValues("memcached"), from.WithLabelValues("keystone")}
}

// callOf tells what a request asks of Keystone; ok is false if it goes to
// another service.
func callOf(r *http.Request, authURL string) (service, name string, ok bool) {
	rest, ok := strings.CutPrefix(r.URL.String(), authURL+"/")
	if !ok {
		return "", "", false
	}
	first, _, _ := strings.Cut(rest, "/")
	switch first {
	case "auth":
		name = "validate-token"
		if r.Method == http.MethodPost {
			name = "login"
		}
	case "users", "OS-TRUST", "projects", "roles", "domains":
		name = strings.ToLower(first)
	default:
		name = "other"
	}
	return "keystone", name, true
}
