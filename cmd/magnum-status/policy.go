package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/table"
	"github.com/go-magnum/magnum/core/api"
	"github.com/go-magnum/magnum/core/policy"
)

func policies() *cobra.Command {
	c := &cobra.Command{
		Use: "policy", Short: "Tell who may do what", Args: cobra.NoArgs,
		Long: "Tell who may do what, from the defaults and the files that [oslo_policy] names.",
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(listRules(), checkRules())
	return c
}

func listRules() *cobra.Command {
	c := &cobra.Command{
		Use: "list", Short: "List all rules as they are in force", Args: cobra.NoArgs,
		Long: "List all rules as they are in force: what decides, where that comes from, and which requests ask for it.\n\n" +
			"A source is \"default\", \"default or classic\" (with enforce_new_defaults = false), a file, or a classic rule\n" +
			"and the file that changes it.",
	}
	out := table.Flags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		e, err := enforcer(c)
		if err != nil {
			return err
		}
		requests := map[string][]string{}
		for _, o := range api.Operations() {
			requests[o.Rule] = append(requests[o.Rule], o.Method+" "+o.Path)
		}
		var rows [][]string
		for _, l := range e.List() {
			rows = append(rows, []string{l.Name, l.Check, l.Source, strings.Join(requests[l.Name], ", ")})
		}
		return out.Write(c.OutOrStdout(), []string{"Rule", "Check", "Source", "Requests"}, rows)
	}
	return c
}

func checkRules() *cobra.Command {
	c := &cobra.Command{
		Use: "check", Short: "Tell what a caller may do", Args: cobra.NoArgs,
		Long: "Tell what a caller may do to an object. Without --target the object is one of the caller's own.\n" +
			"Checks of the kind http: ask their server. With --rule the exit code is 1 if one of the rules refuses.",
		Example: "  magnum-status policy check --roles reader --rule cluster:create --rule cluster:get\n" +
			"  magnum-status policy check --roles member --user-id u --project-id p --target project_id=p --target user_id=v",
	}
	out := table.Flags(c)
	var who policy.Credentials
	var rules, target []string
	f := c.Flags()
	f.StringArrayVar(&rules, "rule", nil, "only this `rule`; may be given more than once")
	f.StringSliceVar(&who.Roles, "roles", nil, "the caller's roles, with commas between")
	f.StringVar(&who.UserID, "user-id", "user", "the caller's user")
	f.StringVar(&who.DomainID, "user-domain-id", "default", "the domain of the caller's user")
	f.StringVar(&who.ProjectID, "project-id", "project", "the project of the caller's token")
	f.BoolVar(&who.System, "system", false, "the caller's token is for the whole system")
	f.StringArrayVar(&target, "target", nil, "an attribute of the object, `name=value`; may be given more than once")
	c.RunE = func(c *cobra.Command, _ []string) error {
		object, err := attributes(target, &who)
		if err != nil {
			return &command.ExitError{Code: command.ExitUsage, Err: err}
		}
		e, err := enforcer(c)
		if err != nil {
			return err
		}
		if who.System {
			who.ProjectID = ""
		}
		who.IsAdmin = e.IsAdmin(c.Context(), &who)
		asked := rules
		if len(asked) == 0 {
			for _, l := range e.List() {
				asked = append(asked, l.Name)
			}
		}
		var rows [][]string
		refused := false
		for _, rule := range asked {
			if !e.Has(rule) {
				return fmt.Errorf("there is no rule %s: see magnum-status policy list", rule)
			}
			allowed := e.Allowed(c.Context(), rule, &who, object)
			refused = refused || !allowed
			rows = append(rows, []string{rule, fmt.Sprint(allowed)})
		}
		if err := out.Write(c.OutOrStdout(), []string{"Rule", "Allowed"}, rows); err != nil {
			return err
		}
		if refused && len(rules) > 0 {
			return &command.ExitError{Code: command.ExitFailed}
		}
		return nil
	}
	return c
}

func enforcer(c *cobra.Command) (*policy.Enforcer, error) {
	env, err := command.Load(c)
	if err != nil {
		return nil, err
	}
	return policy.New(policy.Of(env.Config), env.Logger)
}

// object is what a rule is asked about.
type object map[string]string

// Attribute is of [policy.Target].
func (o object) Attribute(name string) (string, bool) {
	v, ok := o[name]
	return v, ok
}

// AttributeNames is of [policy.Described].
func (o object) AttributeNames() []string {
	var names []string
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func attributes(pairs []string, who *policy.Credentials) (object, error) {
	o := object{}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--target %s: expected name=value", p)
		}
		o[name] = value
	}
	if len(pairs) == 0 {
		o["user_id"] = who.UserID
		if !who.System {
			o["project_id"] = who.ProjectID
		}
	}
	return o, nil
}
