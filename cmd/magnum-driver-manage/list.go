package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/plugins/store"
)

// listDrivers is upstream's only command, with upstream's columns.
func listDrivers() *cobra.Command {
	var details, paths bool
	c := &cobra.Command{
		Use: "list-drivers", Short: "List the active drivers, as upstream's command does", Args: cobra.NoArgs,
	}
	out := table.Flags(c)
	c.Flags().BoolVarP(&details, "details", "d", false, "one row for each cluster type")
	c.Flags().BoolVarP(&paths, "paths", "p", false, "show the main template's path")
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := openStore(c)
		if err != nil {
			return err
		}
		active, err := s.Active()
		if err != nil {
			return err
		}
		header := []string{"Name"}
		if details {
			header = append(header, "Server_Type", "OS", "COE")
		}
		if paths {
			header = append(header, "Template Path")
		}
		var rows [][]string
		for _, p := range active {
			tail := []string{}
			if paths {
				tail = append(tail, cmp.Or(p.Description.TemplatePath, "n/a"))
			}
			if !details {
				rows = append(rows, append([]string{p.Name}, tail...))
				continue
			}
			for _, t := range p.Description.ClusterTypes {
				rows = append(rows, append([]string{p.Name, t.ServerType, t.OS, t.COE}, tail...))
			}
		}
		return out.Write(c.OutOrStdout(), header, rows)
	}
	return c
}

func list() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List all installed packages with their versions", Args: cobra.NoArgs}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := openStore(c)
		if err != nil {
			return err
		}
		packages, err := s.Packages()
		if err != nil {
			return err
		}
		var rows [][]string
		for _, p := range packages {
			state := "installed"
			switch {
			case p.Damage != nil:
				state = "damaged"
			case p.Active:
				state = "active"
			}
			rows = append(rows, []string{p.Name, p.Version, state, string(p.Description.Maturity), clusterTypes(p), p.Digest})
		}
		return out.Write(c.OutOrStdout(), []string{"Name", "Version", "State", "Maturity", "Cluster Types", "Digest"}, rows)
	}
	return c
}

func info() *cobra.Command {
	return &cobra.Command{
		Use: "info NAME[@VERSION]", Short: "Print all that a driver says of itself, as JSON", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := openStore(c)
			if err != nil {
				return err
			}
			found, err := find(s, args[0])
			if err != nil {
				return err
			}
			if found.Damage != nil {
				return failed(found.Damage)
			}
			e := json.NewEncoder(c.OutOrStdout())
			e.SetIndent("", "  ")
			return e.Encode(struct {
				Digest      string `json:"digest"`
				Path        string `json:"path"`
				Active      bool   `json:"active"`
				Asks        any    `json:"asks"`
				Description any    `json:"description"`
			}{found.Digest, found.Path, found.Active, found.Manifest.Asks, found.Description})
		},
	}
}

func openStore(c *cobra.Command) (*store.Store, error) {
	_, s, err := openEnv(c)
	return s, err
}

// openEnv is openStore for commands that need the configuration too.
func openEnv(c *cobra.Command) (command.Env, *store.Store, error) {
	env, err := command.Load(c)
	if err != nil {
		return env, nil, err
	}
	s, err := wire.Store(env.Config)
	return env, s, err
}

// find takes NAME, which is the active version or else the newest, or
// NAME@VERSION.
func find(s *store.Store, arg string) (store.Package, error) {
	name, version, _ := strings.Cut(arg, "@")
	packages, err := s.Packages()
	if err != nil {
		return store.Package{}, err
	}
	packages = slices.DeleteFunc(packages, func(p store.Package) bool {
		return p.Name != name || version != "" && p.Version != version
	})
	if len(packages) == 0 {
		return store.Package{}, &command.ExitError{
			Code: exitNotFound,
			Err:  fmt.Errorf("no driver %s is installed: see magnum-driver-manage list", arg),
		}
	}
	if i := slices.IndexFunc(packages, func(p store.Package) bool { return p.Active }); i >= 0 {
		return packages[i], nil
	}
	return packages[len(packages)-1], nil
}

func clusterTypes(p store.Package) string {
	var all []string
	for _, t := range p.Description.ClusterTypes {
		all = append(all, t.ServerType+"/"+t.OS+"/"+t.COE)
	}
	return strings.Join(all, ", ")
}
