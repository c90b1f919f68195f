// Command magnum-conductor carries out what the API accepted.
package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/core/server"
)

func main() {
	c := command.New("magnum-conductor", "Carry out what the API accepted",
		"Any number of conductors may run on one database: each operation has one at a time.")
	c.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		drivers, err := wire.Drivers(env)
		if err != nil {
			return err
		}
		defer wire.Close(drivers, env.Logger)
		return server.Conductor(c.Context(), server.Config{
			Config: env.Config, Logger: env.Logger, Build: command.Build(), Drivers: drivers, Collectors: []prometheus.Collector{drivers},
		})
	}
	command.Main(c)
}
