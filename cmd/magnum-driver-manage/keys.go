package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"
	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/plugins/store"
)

func sign() *cobra.Command {
	var keyFile, passwordFile string
	c := &cobra.Command{
		Use: "sign --key FILE PACKAGE", Short: "Add a signature to a package folder or archive", Args: cobra.ExactArgs(1),
		Long: "Add a signature to a package folder or archive.\n\n" +
			"The key is minisign's. A signature by the same key is replaced, those by others stay.",
		RunE: func(c *cobra.Command, args []string) error {
			key, err := readKey(keyFile, passwordFile)
			if err != nil {
				return err
			}
			return failed(store.Sign(c.Context(), args[0], key))
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "minisign's secret key `file`")
	c.Flags().StringVar(&passwordFile, "password-file", "", "`file` whose first line is the key's password")
	_ = c.MarkFlagRequired("key")
	return c
}

func readKey(file, passwordFile string) (minisign.PrivateKey, error) {
	var key minisign.PrivateKey
	text, err := os.ReadFile(file)
	if err != nil {
		return key, fmt.Errorf("read the key: %w", err)
	}
	text = []byte(strings.TrimSpace(string(text)))
	if !minisign.IsEncrypted(text) {
		err = key.UnmarshalText(text)
	} else {
		var password string
		if password, err = readPassword(passwordFile); err != nil {
			return key, err
		}
		if password == "" {
			return key, fmt.Errorf("the key %s has a password: give --password-file", file)
		}
		key, err = minisign.DecryptKey(password, text)
	}
	if err != nil {
		return key, fmt.Errorf("read the key %s: %w", file, err)
	}
	return key, nil
}

func readPassword(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password, _, _ := strings.Cut(string(text), "\n")
	if password == "" {
		return "", fmt.Errorf("read the password: the first line of %s is empty", file)
	}
	return password, nil
}

func keys() *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "Keys that packages are signed with", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(generateKey(), listKeys())
	return c
}

func generateKey() *cobra.Command {
	var passwordFile string
	c := &cobra.Command{
		Use: "generate FILE", Short: "Make a key pair: FILE.key to sign with, FILE.pub to hand out", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			password, err := readPassword(passwordFile)
			if err != nil {
				return err
			}
			public, private, err := minisign.GenerateKey(nil)
			if err != nil {
				return fmt.Errorf("make a key: %w", err)
			}
			secret, err := private.MarshalText()
			if password != "" {
				secret, err = minisign.EncryptKey(password, private)
			}
			if err != nil {
				return fmt.Errorf("make a key: %w", err)
			}
			text, err := public.MarshalText()
			if err != nil {
				return fmt.Errorf("make a key: %w", err)
			}
			for _, f := range []struct {
				name string
				mode os.FileMode
				text []byte
			}{{args[0] + ".key", 0o600, secret}, {args[0] + ".pub", 0o644, text}} {
				if err := writeNew(f.name, f.mode, f.text); err != nil {
					return err
				}
			}
			fmt.Fprintf(c.OutOrStdout(), "%s\n", public)
			return nil
		},
	}
	c.Flags().StringVar(&passwordFile, "password-file", "", "`file` whose first line becomes the key's password; none without")
	return c
}

// writeNew never replaces a file: a key that is gone cannot sign any more.
func writeNew(name string, mode os.FileMode, text []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	_, err = fmt.Fprintf(f, "%s\n", text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	return nil
}

func listKeys() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List the keys of the trust file, and which drivers they are for", Args: cobra.NoArgs}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		env, err := command.Load(c)
		if err != nil {
			return err
		}
		trust, err := store.LoadTrust(env.Config.Drivers.TrustFile)
		if err != nil {
			return failed(err)
		}
		var rows [][]string
		for _, k := range trust.Keys {
			state := "good"
			if k.Expired(time.Now()) {
				state = "expired"
			}
			var drivers []string
			for _, p := range trust.Publishers {
				if slices.Contains(p.Keys, k.Name) {
					drivers = append(drivers, fmt.Sprintf("%s (%d of %d)", strings.Join(p.Drivers, " "), p.Threshold, len(p.Keys)))
				}
			}
			rows = append(rows, []string{k.Name, k.ID(), cmp.Or(k.Expires, "never"), state, strings.Join(drivers, ", ")})
		}
		return out.Write(c.OutOrStdout(), []string{"Name", "ID", "Expires", "State", "Drivers"}, rows)
	}
	return c
}
