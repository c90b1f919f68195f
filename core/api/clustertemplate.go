package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
)

// templateTarget is a template as the target of a rule.
type templateTarget struct {
	*request
	template *magnum.ClusterTemplate
}

// Attribute returns what rules compare of a template.
func (t templateTarget) Attribute(name string) (string, bool) {
	switch name {
	case "project_id":
		return t.template.ProjectID, t.template.ProjectID != ""
	case "user_id":
		return t.template.UserID, t.template.UserID != ""
	}
	return t.fact(name)
}

func (a *api) listTemplates(rq *request) (*answer, error) {
	values, err := rq.arguments("marker", "limit", "sort_key", "sort_dir")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	scope, err := rq.listScope("clustertemplate")
	if err != nil {
		return nil, err
	}
	page, err := a.paging(values)
	if err != nil {
		return nil, err
	}
	all, err := a.DB.Templates(rq.Context(), scope, page)
	if err != nil {
		return nil, err
	}
	var e encoder
	e.open('{')
	e.key(rq.templateWords().collection)
	e.open('[')
	last := ""
	for _, t := range all {
		e.template(rq, t)
		last = t.UUID
	}
	e.close(']')
	e.next(rq, rq.route.path, page, len(all), last)
	e.close('}')
	return &answer{status: http.StatusOK, body: e.b}, nil
}

func (a *api) showTemplate(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	t, err := a.template(rq, "clustertemplate:get_one_all_projects")
	if err != nil {
		return nil, err
	}
	rq.asked = t.Public // what is public needs no right
	if !t.Public {
		if err := rq.enforce(templateTarget{rq, t}); err != nil {
			return nil, err
		}
	}
	var e encoder
	e.template(rq, t)
	return &answer{status: http.StatusOK, body: e.b}, nil
}

// template loads the template in the path, as far as the caller sees it.
func (a *api) template(rq *request, allProjects string) (*magnum.ClusterTemplate, error) {
	scope, err := rq.scope(allProjects)
	if err != nil {
		return nil, err
	}
	return a.DB.Template(rq.Context(), scope, cmp.Or(rq.args["cluster_template_ident"], rq.args["baymodel_ident"]))
}

func (a *api) createTemplate(rq *request) (*answer, error) {
	drivers, err := a.drivers(rq.Context())
	if err != nil {
		return nil, err
	}
	t, coe, err := readTemplate(rq, drivers.coes())
	if err != nil {
		return nil, err
	}
	if err := drivers.checkOptions(a.Options, t, coe); err != nil {
		return nil, err
	}
	if err := checkVolumeSize(t.DockerStorageDriver, t.DockerVolumeSize); err != nil {
		return nil, err
	}
	image, err := a.distro(rq, t)
	if err != nil {
		return nil, err
	}
	asked := *t
	asked.ClusterDistro, asked.Driver = image.OSDistro, cmp.Or(t.Driver, image.Driver)
	if _, err := drivers.ofTemplate(&asked); err != nil {
		return nil, err
	}
	if err := rq.enforce(rq); err != nil {
		return nil, err
	}
	found, err := a.checkResources(rq, t, t.FlavorID, t.MasterFlavorID)
	if err != nil {
		return nil, err
	}
	// The image has the last word on the type, which may be another one than
	// was asked for.
	t.ClusterDistro, t.Driver = found.image.OSDistro, cmp.Or(t.Driver, found.image.Driver)
	if t.Driver == "" {
		drivers.settle(t)
	} else if _, err := drivers.named(t.Driver, t.ClusterType()); err != nil {
		return nil, err
	}
	if err := a.checkLabels(drivers, t); err != nil {
		return nil, err
	}
	if (t.Public || t.Hidden) && !rq.mayPublish() {
		return nil, errPublish
	}
	if err := a.checkRootDisks(t.Labels, found.flavors...); err != nil {
		return nil, err
	}
	drivers.fillNetworkDriver(a.Options, t)
	if t.Name == "" {
		t.Name = a.name(rq.templateWords().generated)
	}
	t.ProjectID, t.UserID = rq.creds.ProjectID, rq.creds.UserID
	if err := a.DB.CreateTemplate(rq.Context(), t); err != nil {
		return nil, err
	}
	var e encoder
	e.template(rq, t)
	return &answer{
		status: http.StatusCreated, body: e.b, location: rq.base + "/v1/" + rq.templateWords().collection + "/" + t.UUID,
	}, nil
}

// readTemplate decodes a body. coe is what stood there for it, in Python's
// words, for a refusal.
func readTemplate(rq *request, coes []string) (t *magnum.ClusterTemplate, coe string, err error) {
	if _, err := rq.query(); err != nil {
		return nil, "", err
	}
	body, err := rq.content()
	if err != nil {
		return nil, "", err
	}
	t = newTemplate()
	w := rq.templateWords()
	if err := decode(w.argument, body, w.attributes(t, coes)); err != nil {
		return nil, "", err
	}
	switch {
	case t.COE != "":
		coe = t.COE
	case sentNull(body, "coe"):
		coe = "None"
	default:
		coe = "Unset"
	}
	return t, coe, nil
}

func sentNull(body []byte, name string) bool {
	v, err := parseJSON(body)
	return err == nil && v.member(name) != nil && v.member(name).value.kind == null
}

var errPublish = magnum.Errorf(magnum.Forbidden, "Not authorized to set public or hidden flag for cluster template.")

func (rq *request) mayPublish() bool {
	return rq.policy.Allowed(rq.Context(), rq.templateWords().publish, &rq.creds, rq)
}

func (a *api) updateTemplate(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	words := rq.templateWords()
	steps, err := readPatch(rq, words.dialect)
	if err != nil {
		return nil, err
	}
	before, err := a.template(rq, "clustertemplate:update_all_projects")
	if err != nil {
		return nil, err
	}
	drivers, err := a.drivers(rq.Context())
	if err != nil {
		return nil, err
	}
	coes := drivers.coes()
	after, err := words.patched(before, steps, coes)
	if err != nil {
		return nil, err
	}
	if err := drivers.checkOptions(a.Options, after, after.COE); err != nil {
		return nil, err
	}
	if err := rq.enforce(templateTarget{rq, before}); err != nil {
		return nil, err
	}
	found, err := a.checkResources(rq, after, after.FlavorID, after.MasterFlavorID)
	if err != nil {
		return nil, err
	}
	if err := drivers.resettle(before, after, steps); err != nil {
		return nil, err
	}
	if err := a.checkLabels(drivers, after); err != nil {
		return nil, err
	}
	if err := a.checkRootDisks(after.Labels, found.flavors...); err != nil {
		return nil, err
	}
	publish := rq.mayPublish()
	var updated time.Time
	// The row may have changed while the cloud was asked: the patch is
	// applied to what is there now.
	t, err := a.DB.UpdateTemplate(rq.Context(), before.UUID, func(t *magnum.ClusterTemplate, inUse bool) error {
		after, err := words.patched(t, steps, coes)
		if err != nil {
			return err
		}
		if err := drivers.resettle(t, after, steps); err != nil {
			return err
		}
		if (t.Public != after.Public || t.Hidden != after.Hidden) && !publish {
			return errPublish
		}
		changed := differing(templateDocument(t), templateDocument(after))
		if inUse && !harmless(changed, after) {
			return badRequest("ClusterTemplate %s is referenced by one or multiple clusters.", t.UUID)
		}
		updated = t.UpdatedAt
		*t = *after
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.UpdatedAt = updated // upstream answers with the time of the update before this one
	var e encoder
	e.template(rq, t)
	return &answer{status: http.StatusOK, body: e.b}, nil
}

// harmless reports whether a template that clusters are made from may change
// so: exactly one of its name, its hiding, its publication, and tags that are
// set. Nothing at all is refused too, as upstream does.
func harmless(changed []string, after *magnum.ClusterTemplate) bool {
	return slices.Equal(changed, []string{"name"}) ||
		slices.Equal(changed, []string{"hidden"}) ||
		slices.Equal(changed, []string{"public"}) && after.Public ||
		slices.Equal(changed, []string{"tags"}) && after.Tags != nil
}

func (a *api) deleteTemplate(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	t, err := a.template(rq, "clustertemplate:delete_all_projects")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(templateTarget{rq, t}); err != nil {
		return nil, err
	}
	if err := a.DB.DeleteTemplate(rq.Context(), t.UUID); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, nil
}
