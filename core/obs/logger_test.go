package obs_test

import (
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/obs"
)

// A driver that is to log more does not make the service do so.
func TestLevelsAreIndependent(t *testing.T) {
	logger, err := obs.NewLogger("magnum", &config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	logger.With().SetLevel(hclog.Debug)
	if logger.IsDebug() {
		t.Error("the logger has taken over another's level")
	}
}
