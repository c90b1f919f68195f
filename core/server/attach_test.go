package server

import (
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/config"
)

// What has no embedded cloud takes no driver that nobody has verified.
func TestAttachIsRefused(t *testing.T) {
	c := Config{Config: &config.Config{Drivers: config.Drivers{Attach: []string{"/run/user/1000/magnum-driver"}}}, Logger: hclog.NewNullLogger()}
	for name, err := range map[string]error{"API": API(t.Context(), c), "Conductor": Conductor(t.Context(), c)} {
		if err == nil || !strings.Contains(err.Error(), "[drivers] attach is for magnum-dev only") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
