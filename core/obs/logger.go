// Package obs is how the core is watched: the logger that every part of it
// writes to, the registry that every part counts in, and how it is read.
package obs

import (
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/config"
)

// NewLogger makes the logger a configuration asks for: to [DEFAULT] log_file
// or to standard error, at DEBUG if [DEFAULT] debug is set, as JSON if
// [DEFAULT] use_json is.
func NewLogger(name string, c *config.Config) (hclog.Logger, error) {
	var out io.Writer = os.Stderr
	if path := c.Default.LogFile; path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640) //nolint:gosec // an operator's group reads logs
		if err != nil {
			return nil, fmt.Errorf("open [DEFAULT] log_file: %w", err)
		}
		out = f
	}
	level := hclog.Info
	if c.Default.Debug {
		level = hclog.Debug
	}
	return hclog.New(&hclog.LoggerOptions{
		Name: name, Level: level, Output: out, JSONFormat: c.Default.UseJSON,
		IndependentLevels: true, // an operator may want to hear more of one driver
	}), nil
}
