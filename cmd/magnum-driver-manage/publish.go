package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/plugins/store"
)

func publish() *cobra.Command {
	return &cobra.Command{
		Use: "publish PACKAGE oci://HOST/REPOSITORY:TAG", Short: "Put a package into a registry, as an OCI artifact", Args: cobra.ExactArgs(2),
		Long: "Put a package, a folder or an archive, into a registry as an OCI artifact, and print the source that\n" +
			"install takes it from there by. Sign it before: signatures are in it.\n\n" +
			"The same package has the same digest in every registry. Credentials are docker's, from config.json in\n" +
			"$DOCKER_CONFIG or ~/.docker. oci+http:// is for a registry without TLS; on this host, oci:// is without too.",
		Example: "  magnum-driver-manage publish my-driver-1.2.0.tar.zst oci://registry.example.org/drivers/my-driver:1.2.0",
		RunE: func(c *cobra.Command, args []string) error {
			source, err := store.Publish(c.Context(), args[0], args[1])
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), source)
			return err
		},
	}
}
