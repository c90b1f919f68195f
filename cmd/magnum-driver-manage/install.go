package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/plugins/store"
)

// Exit codes beyond those all executables share.
const (
	exitNotFound     = 3
	exitVerification = 4
)

func install() *cobra.Command {
	return &cobra.Command{
		Use: "install DIR", Short: "Verify a package folder, put it into the store and make it active", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			p, err := s.Install(c.Context(), args[0])
			if err != nil {
				return &command.ExitError{Code: exitVerification, Err: fmt.Errorf("nothing was installed: %w", err)}
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
		Use: "package BINARY DIR", Short: "Make a package folder from a driver's executable", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return store.Pack(c.Context(), args[1], args[0])
		},
	}
}
