package drivertest

import (
	stdbytes "bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/hot"
)

// repeats is how often a request is sent again: an answer in the order of a map
// comes out alike by chance, but not so often.
const repeats = 8

func checkDeterminism(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	good, err := s.good(ctx)
	if err != nil {
		return err
	}
	for _, one := range good[:min(len(good), len(uses()))] {
		for range repeats {
			if err := same(ctx, client, one); err != nil {
				return err
			}
		}
	}
	return nil
}

func same(ctx context.Context, client pb.TemplatesClient, one stack) error {
	want, err := bytes(one.response)
	if err != nil {
		return err
	}
	out, err := client.Render(ctx, one.request)
	if err != nil {
		return fmt.Errorf("%s: rendered once, then refused: %s", one.about, said(err))
	}
	got, err := bytes(out)
	if err != nil {
		return err
	}
	if !stdbytes.Equal(want, got) {
		return fmt.Errorf("%s: rendered differently: %s", one.about, difference(string(want), string(got)))
	}
	return nil
}

func checkRestart(ctx context.Context, s *session) error {
	good, err := s.good(ctx)
	if err != nil {
		return err
	}
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, one := range good[:min(len(good), len(uses()))] {
		if err := same(ctx, pb.NewTemplatesClient(p.Conn()), one); err != nil {
			return err
		}
	}
	return nil
}

func checkPromised(ctx context.Context, s *session) error {
	all, err := s.rendered(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, one := range all {
		if one.err != nil && !strings.HasPrefix(one.about, "label ") {
			errs = append(errs, fmt.Errorf("%s: %s", one.about, said(one.err)))
		}
	}
	return first(errs)
}

func checkNotPromised(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	asked := false
	for _, u := range uses() {
		if u.needs == "" || s.can(u.needs) {
			continue
		}
		asked = true
		r := s.request(u)
		if u.group == extraGroup {
			extra := clone(r.GetNodeGroups()[1])
			extra.Name, extra.IsDefault = extraGroup, false
			r.NodeGroups = append(r.NodeGroups, extra)
		}
		_, err := client.Render(ctx, r)
		if err := refusedAs(u.String()+" without the capability "+string(u.needs), err, driver.ClassUnsupported); err != nil {
			return err
		}
	}
	if !asked {
		return skip("the driver has all capabilities")
	}
	return nil
}

func checkUnknownIntent(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	_, err = client.Render(ctx, s.request(use{intent: "conform-unheard-of"}))
	return refusedAs("an unknown intent", err, driver.ClassUnsupported)
}

func checkUnknownGroup(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	_, err = client.Render(ctx, s.request(use{intent: driver.IntentUpdate, group: unknownGroup}))
	return refusedAs("an unknown node group", err, driver.ClassInvalidInput, driver.ClassNotFound)
}

// each gives every rendered stack to a check, loaded.
func (s *session) each(ctx context.Context, look func(*pb.RenderResponse, *hot.Stack) []error) error {
	good, err := s.good(ctx)
	if err != nil {
		return err
	}
	var errs []error
	looked := false
	for _, one := range good {
		r := one.response
		loaded, err := hot.Load(r.GetTemplate(), r.GetFiles(), r.GetEnvironments())
		if err != nil {
			continue
		}
		looked = true
		for _, err := range look(r, loaded) {
			errs = append(errs, fmt.Errorf("%s: %w", one.about, err))
		}
	}
	if !looked {
		return skip("no template can be read: see DRV-036")
	}
	return first(errs)
}

func checkTemplates(ctx context.Context, s *session) error {
	good, err := s.good(ctx)
	if err != nil {
		return err
	}
	for _, one := range good {
		if _, err := hot.Load(one.response.GetTemplate(), one.response.GetFiles(), one.response.GetEnvironments()); err != nil {
			return fmt.Errorf("%s: %w", one.about, err)
		}
	}
	return s.each(ctx, func(r *pb.RenderResponse, loaded *hot.Stack) []error {
		// Which parameters are sent is for DRV-037: here they are those declared.
		given := values(r)
		for name := range given {
			if loaded.Template.Parameters[name] == nil {
				delete(given, name)
			}
		}
		if len(unmet(r, loaded)) > 0 {
			return nil
		}
		errs := loaded.Check(given)
		for _, f := range loaded.Lint() {
			errs = append(errs, errors.New(f.String()))
		}
		return errs
	})
}

// values are parameters as Heat gets them, with something in place of secrets.
func values(r *pb.RenderResponse) map[string]any {
	out := map[string]any{}
	for name, p := range r.GetParameters() {
		out[name] = p.GetValue()
		if p.GetSecret() != "" {
			out[name] = "secret"
		}
	}
	return out
}

// unmet are the required parameters of the main template that nothing fills.
func unmet(r *pb.RenderResponse, loaded *hot.Stack) []string {
	filled := loaded.Parameters(values(r))
	return slices.DeleteFunc(loaded.Template.Required(), func(name string) bool {
		_, ok := filled[name]
		return ok
	})
}

func checkParameters(ctx context.Context, s *session) error {
	return s.each(ctx, func(r *pb.RenderResponse, loaded *hot.Stack) []error {
		var errs []error
		for name := range r.GetParameters() {
			if loaded.Template.Parameters[name] == nil {
				errs = append(errs, fmt.Errorf("parameter %s is sent but the template does not declare it", name))
			}
		}
		for _, name := range unmet(r, loaded) {
			errs = append(errs, fmt.Errorf("parameter %s is required but not sent", name))
		}
		return errs
	})
}

func checkHidden(ctx context.Context, s *session) error {
	return s.each(ctx, func(r *pb.RenderResponse, loaded *hot.Stack) []error {
		for name, p := range r.GetParameters() {
			if declared := loaded.Template.Parameters[name]; p.GetSecret() != "" && declared != nil && !declared.Hidden {
				return []error{fmt.Errorf("parameter %s holds a secret but is not hidden", name)}
			}
		}
		return nil
	})
}

func checkKnownSecrets(ctx context.Context, s *session) error {
	known := []driver.SecretRef{
		driver.SecretTrusteePassword, driver.SecretTrustID, driver.SecretCAKey,
		driver.SecretServiceAccountKey, driver.SecretServiceAccountPrivateKey,
	}
	return s.each(ctx, func(r *pb.RenderResponse, _ *hot.Stack) []error {
		for name, p := range r.GetParameters() {
			if p.GetSecret() != "" && !slices.Contains(known, driver.SecretRef(p.GetSecret())) {
				return []error{fmt.Errorf("parameter %s asks for the secret %q, which no core has", name, p.GetSecret())}
			}
		}
		return nil
	})
}

func checkResourceTypes(ctx context.Context, s *session) error {
	ours := regexp.MustCompile(`^(OS|AWS)::`)
	return s.each(ctx, func(_ *pb.RenderResponse, loaded *hot.Stack) []error {
		templates, err := loaded.Templates()
		if err != nil {
			return nil // for DRV-036
		}
		for _, t := range templates {
			for name, r := range t.Resources {
				if ours.MatchString(r.Type) && !slices.Contains(s.description.GetResourceTypes(), r.Type) {
					return []error{fmt.Errorf("resource %s is of type %s, which the description does not list", name, r.Type)}
				}
			}
		}
		return nil
	})
}

func checkLabels(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	all, err := s.rendered(ctx)
	if err != nil {
		return err
	}
	if len(s.labels.Properties) == 0 {
		return skip("the description has no labels")
	}
	var errs []error
	for _, one := range all {
		if one.err != nil && strings.HasPrefix(one.about, "label ") {
			errs = append(errs, fmt.Errorf("%s: %s", one.about, said(one.err)))
		}
	}
	for _, name := range s.propertyNames() {
		for _, value := range s.labels.Properties[name].values() {
			if v, err := s.violation(ctx, client, name, value); err != nil {
				errs = append(errs, err)
			} else if v != nil {
				errs = append(errs, fmt.Errorf("label %s=%s is as described, but refused: %s", name, value, v.GetMessage()))
			}
		}
	}
	return first(errs)
}

// violation is what the driver has against a label's value; nil for nothing.
func (s *session) violation(ctx context.Context, client pb.TemplatesClient, name, value string) (*pb.Violation, error) {
	r := s.validation()
	r.Cluster.Labels[name] = value
	out, err := client.Validate(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("label %s=%.40q: Validate: %s", name, value, said(err))
	}
	for _, v := range out.GetViolations() {
		if v.GetField() == "labels/"+name {
			return v, nil
		}
	}
	return nil, nil
}

func checkWrongLabels(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	asked := false
	for _, name := range s.propertyNames() {
		value, ok := s.labels.Properties[name].wrong()
		if !ok {
			continue
		}
		asked = true
		v, err := s.violation(ctx, client, name, value)
		if err != nil {
			return err
		}
		if v == nil {
			return fmt.Errorf("label %s=%q is not as described, but Validate has no violation with field labels/%s", name, value, name)
		}
	}
	if !asked {
		return skip("the description's labels may have any value")
	}
	return nil
}

func checkUnknownLabels(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	const name = "conform_unheard_of"
	v, err := s.violation(ctx, client, name, "x")
	if err != nil {
		return err
	}
	if v != nil {
		return fmt.Errorf("a label that the description does not have is refused: %s", v.GetMessage())
	}
	if _, err := client.Render(ctx, s.labelled(map[string]string{name: "x"})); err != nil {
		return fmt.Errorf("with a label that the description does not have, nothing is rendered: %s", said(err))
	}
	return nil
}

func checkDriversChoice(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		field  string
		listed []string
		set    func(*pb.ClusterTemplate, string)
	}{
		{"network_driver", s.description.GetNetworkDrivers(), func(t *pb.ClusterTemplate, name string) { t.NetworkDriver = name }},
		{"volume_driver", s.description.GetVolumeDrivers(), func(t *pb.ClusterTemplate, name string) { t.VolumeDriver = name }},
	} {
		for _, name := range append(slices.Clone(kind.listed), "conform-unheard-of") {
			r := s.validation()
			kind.set(r.GetTemplate(), name)
			out, err := client.Validate(ctx, r)
			if err != nil {
				return fmt.Errorf("%s %s: Validate: %s", kind.field, name, said(err))
			}
			refused := slices.ContainsFunc(out.GetViolations(), func(v *pb.Violation) bool { return v.GetField() == kind.field })
			if refused == slices.Contains(kind.listed, name) {
				return fmt.Errorf("%s %s: listed is %v, and refused is too", kind.field, name, refused)
			}
		}
	}
	return nil
}
