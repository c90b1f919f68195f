package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestSecretDoesNotPrint(t *testing.T) {
	const canary = "canary-5e1f"
	c := load(t, "[keystone_authtoken]\npassword = "+canary+"\n[database]\nconnection = mysql://u:"+canary+"@h/m\n"+
		"[DEFAULT]\ntransport_url = rabbit://u:"+canary+"@h/\n[trust]\ntrustee_domain_admin_password = "+canary+"\n")
	if c.KeystoneAuthtoken.Password.Reveal() != canary {
		t.Fatal("the password is lost")
	}
	hidden := struct{ inner *Config }{c}          // fmt cannot call methods in here
	bare := struct{ s Secret }{NewSecret(canary)} // nor here
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&printed, verb+"\n", c.KeystoneAuthtoken.Password)
		fmt.Fprintf(&printed, verb+"\n", *c)
		fmt.Fprintf(&printed, verb+"\n", hidden)
		fmt.Fprintf(&printed, verb+"\n", bare)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(text)
	for _, asJSON := range []bool{true, false} {
		var log bytes.Buffer
		hclog.New(&hclog.LoggerOptions{Output: &log, JSONFormat: asJSON}).
			Info("configuration", "password", c.KeystoneAuthtoken.Password, "database", c.Database)
		printed.WriteString(log.String())
	}
	printed.WriteString(c.Database.Connection.String() + fmt.Sprint(&c.Database.Connection))
	for _, form := range []string{canary, fmt.Sprintf("%x", canary)} {
		if strings.Contains(printed.String(), form) {
			t.Errorf("the secret shows as %s", form)
		}
	}
	if !strings.Contains(printed.String(), mask) {
		t.Error("nothing was printed")
	}
}

func TestSecretEmpty(t *testing.T) {
	if s := NewSecret(""); s.IsSet() || s.Reveal() != "" || !s.Equal(Secret{}) || s.Equal(NewSecret("x")) {
		t.Error("an empty secret is not the zero one")
	}
}
