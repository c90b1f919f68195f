package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/plugins/store"
)

func install() *cobra.Command {
	var request store.InstallRequest
	c := &cobra.Command{
		Use: "install SOURCE[@sha256:DIGEST]", Short: "Verify a package, put it into the store and make it active", Args: cobra.ExactArgs(1),
		Long: "Verify a package, put it into the store and make it active.\n\n" +
			"SOURCE is a package's folder or its .tar.zst archive: a path, or a file://, https:// or http:// URL; or what\n" +
			"publish has put into a registry: oci://HOST/REPOSITORY, or oci+http:// for a registry without TLS.\n" +
			"The digest is that of the archive, of a folder's files.sha256, or of what publish made; a server's URL needs one.\n" +
			"What is refused leaves nothing behind.",
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			request.Source, request.By = args[0], caller()
			p, err := s.Install(c.Context(), request)
			if err != nil {
				return failed(fmt.Errorf("nothing was installed: %w", err))
			}
			if len(p.Signers) == 0 {
				fmt.Fprintf(c.ErrOrStderr(), "warning: %s is not signed by anybody this host trusts: see docs/drivers/store.md\n", p)
			}
			state := "installed and active"
			if !p.Active {
				state = "installed"
			}
			fmt.Fprintf(c.OutOrStdout(), "%s %s is %s (sha256 %s)\n", p.Name, p.Version, state, p.Digest)
			if asks := p.Manifest.Asks.String(); asks != "" {
				fmt.Fprintf(c.OutOrStdout(), "%s asks for: %s\n", p.Name, asks)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&request.Force, "force", false, "make it active though a newer version is")
	c.Flags().BoolVar(&request.KeepActive, "no-activate", false, "leave the active version as it is")
	reasonFlag(c, &request.Reason)
	return c
}

func verify() *cobra.Command {
	var deep bool
	c := &cobra.Command{
		Use: "verify [NAME[@VERSION]]", Short: "Compare installed packages with their digests, and who may write to them", Args: cobra.MaximumNArgs(1),
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
				verdict, err := judge(c.Context(), s, p, deep)
				if err != nil {
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
	c.Flags().BoolVar(&deep, "deep", false, "also check signatures with the trust file, and start each driver to see that it is what its package says")
	return c
}

func judge(ctx context.Context, s *store.Store, p store.Package, deep bool) (string, error) {
	if !deep {
		return "good", s.Verify(p)
	}
	signers, err := s.VerifyDeep(ctx, p)
	if err != nil || len(signers) == 0 {
		return "good", err
	}
	return "good, signed by " + strings.Join(signers, ", "), nil
}

func pack() *cobra.Command {
	var asks string
	c := &cobra.Command{
		Use: "package BINARY PACKAGE", Short: "Make a package from a driver's executable", Args: cobra.ExactArgs(2),
		Long: "Make a package from a driver's executable: one file where PACKAGE ends in " + store.ArchiveSuffix + ", else a folder.",
		RunE: func(c *cobra.Command, args []string) error {
			asked, err := readAsks(asks)
			if err != nil {
				return err
			}
			return store.Pack(c.Context(), args[1], args[0], asked)
		},
	}
	asksFlag(c, &asks)
	return c
}

func asksFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "asks", "", "YAML `file` with the manifest's resources and sandbox, for an executable that needs more than every driver may have")
}

func readAsks(file string) (store.Asks, error) {
	if file == "" {
		return store.Asks{}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return store.Asks{}, err
	}
	asks, err := store.ParseAsks(text)
	if err != nil {
		return asks, fmt.Errorf("%s: %w", file, err)
	}
	return asks, nil
}
