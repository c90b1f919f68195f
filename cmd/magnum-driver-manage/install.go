package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/plugins/store"
)

func install() *cobra.Command {
	return &cobra.Command{
		Use: "install SOURCE[@sha256:DIGEST]", Short: "Verify a package, put it into the store and make it active", Args: cobra.ExactArgs(1),
		Long: "Verify a package, put it into the store and make it active.\n\n" +
			"SOURCE is a package's folder or its .tar.zst archive: a path, or a file://, https:// or http:// URL.\n" +
			"The digest is that of the archive, or of a folder's files.sha256; a server's URL needs one.\n" +
			"What is refused leaves nothing behind.",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			p, err := s.Install(c.Context(), store.InstallRequest{Source: args[0]})
			if err != nil {
				return failed(fmt.Errorf("nothing was installed: %w", err))
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s is installed and active (sha256 %s)\n", p.Name, p.Version, p.Digest)
			return nil
		},
	}
}

func verify() *cobra.Command {
	return &cobra.Command{
		Use: "verify [NAME[@VERSION]]", Short: "Compare installed packages with their digests", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			packages, err := s.Packages()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				p, err := find(s, args[0])
				if err != nil {
					return err
				}
				packages = []store.Package{p}
			}
			bad := 0
			for _, p := range packages {
				verdict := "good"
				if err := s.Verify(p); err != nil {
					verdict = err.Error()
					bad++
				}
				fmt.Fprintf(c.OutOrStdout(), "%s %s: %s\n", p.Name, p.Version, verdict)
			}
			if bad > 0 {
				return &command.ExitError{
					Code: exitVerification,
					Err:  fmt.Errorf("%d of %d packages are not what was installed: install them again", bad, len(packages)),
				}
			}
			return nil
		},
	}
}

func pack() *cobra.Command {
	return &cobra.Command{
		Use: "package BINARY PACKAGE", Short: "Make a package from a driver's executable", Args: cobra.ExactArgs(2),
		Long: "Make a package from a driver's executable: one file where PACKAGE ends in " + store.ArchiveSuffix + ", else a folder.",
		RunE: func(c *cobra.Command, args []string) error {
			return store.Pack(c.Context(), args[1], args[0])
		},
	}
}
