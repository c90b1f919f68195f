package api

import (
	"net/http"
	"os"
	"strings"
)

// disabledBy is upstream's way to take a healthy service out of rotation.
const disabledBy = "/etc/magnum/healthcheck_disable"

func isHealthcheck(path string) bool {
	return path == "/healthcheck" || strings.HasPrefix(path, "/healthcheck/")
}

// serveHealth says that the process answers; it asks nothing else, so that a
// slow database does not take every API out of rotation at once. Any method
// and sub-path do, as upstream's filter has it.
func serveHealth(w http.ResponseWriter, r *http.Request) {
	status, reason := http.StatusOK, "OK"
	if _, err := os.Stat(disabledBy); err == nil {
		status, reason = http.StatusServiceUnavailable, "DISABLED BY FILE"
	}
	if r.Method == http.MethodHead {
		if status == http.StatusOK {
			status = http.StatusNoContent
		}
		w.WriteHeader(status)
		return
	}
	kind, body := "text/plain; charset=UTF-8", reason
	switch accept, _, _ := strings.Cut(r.Header.Get("Accept"), ","); strings.TrimSpace(accept) {
	case "application/json":
		kind, body = "application/json", `{"detailed": false, "reasons": ["`+reason+`"]}`
	case "text/html":
		kind, body = "text/html; charset=UTF-8", "<html><head><title>Healthcheck Status</title></head><body><p>"+reason+"</p></body></html>"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // an error of the connection has no reader
}
