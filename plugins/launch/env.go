package launch

import (
	"os"
	"strings"

	"github.com/hashicorp/go-plugin"
)

// inherited lists the host's variables that a driver may see: where the
// system's certificates are, and its time zone. Everything else stays behind,
// because a service's environment is where operators put passwords.
func inherited() []string { return []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"} }

// environment is all that a driver sees: fixed values, the allow-list, and
// what the operator configured for it.
func environment(configured []string) []string {
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}
	for _, name := range inherited() {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, configured...)
}

// handshakeEnvironment picks from go-plugin's variables those that our drivers
// read, with the directory for the socket replaced.
func handshakeEnvironment(from []string, socketDir, cookie string) []string {
	env := []string{plugin.EnvUnixSocketDir + "=" + socketDir}
	for _, variable := range from {
		name, _, _ := strings.Cut(variable, "=")
		if name == cookie || name == "PLUGIN_PROTOCOL_VERSIONS" {
			env = append(env, variable)
		}
	}
	return env
}
