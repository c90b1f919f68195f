package devcloud

import (
	"encoding/json"
	"html"
	"net/http"
)

// dialect is how one service words its errors.
type dialect struct {
	prefix string // of its paths
	fail   func(w http.ResponseWriter, status int, message string)
	// unauthorized answers a request without a valid token. Most services
	// leave that to Keystone's middleware.
	unauthorized func(w http.ResponseWriter)
}

const authenticationRequired = "The request you have made requires authentication."

var (
	keystone = dialect{"identity", failKeystone, func(w http.ResponseWriter) {
		failKeystone(w, http.StatusUnauthorized, authenticationRequired)
	}}
	glance = dialect{"image", failHTML, func(w http.ResponseWriter) {
		failHTML(w, http.StatusUnauthorized, "This server could not verify that you are authorized to access the document you requested.")
	}}
	nova     = dialect{"compute", failNova, unauthorizedJSON}
	cinder   = dialect{"volume", failNova, unauthorizedJSON}
	neutron  = dialect{"network", failNeutron, unauthorizedJSON}
	octavia  = dialect{"load-balancer", failOctavia, unauthorizedJSON}
	barbican = dialect{"key-manager", failBarbican, unauthorizedJSON}
)

func unauthorizedJSON(w http.ResponseWriter) {
	failKeystone(w, http.StatusUnauthorized, authenticationRequired)
}

// object is a JSON object.
type object = map[string]any

// answer sends JSON.
func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the embedded cloud cannot write its answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has gone: nobody to tell
}

func failKeystone(w http.ResponseWriter, status int, message string) {
	answer(w, status, object{"error": object{"code": status, "message": message, "title": http.StatusText(status)}})
}

// failHTML is Glance's way.
func failHTML(w http.ResponseWriter, status int, message string) {
	title := http.StatusText(status)
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	//nolint:gosec // the message is escaped
	_, _ = w.Write([]byte("<html>\n <head>\n  <title>" + title + "</title>\n </head>\n <body>\n  <h1>" + title +
		"</h1>\n  " + html.EscapeString(message) + "<br /><br />\n </body>\n</html>"))
}

// failNova is also Cinder's way: the kind of fault is the only member.
func failNova(w http.ResponseWriter, status int, message string) {
	kind := "computeFault"
	switch status {
	case http.StatusBadRequest:
		kind = "badRequest"
	case http.StatusForbidden:
		kind = "forbidden"
	case http.StatusNotFound:
		kind = "itemNotFound"
	case http.StatusConflict:
		kind = "conflictingRequest"
	case http.StatusNotImplemented:
		kind = "notImplemented"
	}
	answer(w, status, object{kind: object{"code": status, "message": message}})
}

func failNeutron(w http.ResponseWriter, status int, message string) {
	neutronError(w, status, "HTTP"+http.StatusText(status), message)
}

func neutronError(w http.ResponseWriter, status int, kind, message string) {
	answer(w, status, object{"NeutronError": object{"type": kind, "message": message, "detail": ""}})
}

func failOctavia(w http.ResponseWriter, status int, message string) {
	answer(w, status, object{"faultcode": "Client", "faultstring": message, "debuginfo": nil})
}

func failBarbican(w http.ResponseWriter, status int, message string) {
	answer(w, status, object{"code": status, "title": http.StatusText(status), "description": message})
}
