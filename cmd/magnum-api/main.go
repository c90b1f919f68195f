// Command magnum-api answers the container infrastructure API.
package main

import (
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/server"
)

func main() {
	c := command.New("magnum-api", "Answer OpenStack's container infrastructure API",
		"Requests are checked, written to the database and answered; magnum-conductor carries them out.")
	c.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		return server.API(c.Context(), server.Config{Config: env.Config, Logger: env.Logger, Build: command.Build()})
	}
	command.Main(c)
}
