package api

import (
	"context"
	"sync"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// parents remembers the labels of clusters' templates, which saves GET of a
// cluster a statement. They cannot go stale: as long as a cluster exists, no
// patch changes its template's labels. The key tells a cluster from a later
// one with the same uuid, which a client may give.
type parents struct {
	mu   sync.Mutex
	kept map[parentKey]magnum.Labels
}

type parentKey struct {
	cluster, template string
	id, created       int64
}

func keyOf(c *magnum.Cluster) parentKey {
	return parentKey{c.UUID, c.ClusterTemplateID, c.ID, c.CreatedAt.UnixNano()}
}

// maxParents bounds what is kept; when it is full, all of it is forgotten.
const maxParents = 20000

func (p *parents) get(c *magnum.Cluster) (magnum.Labels, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	labels, ok := p.kept[keyOf(c)]
	return labels, ok
}

func (p *parents) put(c *magnum.Cluster, labels magnum.Labels) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || len(p.kept) >= maxParents {
		p.kept = map[parentKey]magnum.Labels{}
	}
	p.kept[keyOf(c)] = labels
}

// parentLabels are the labels of a cluster's template, whoever may see it. They
// are shared: nobody may change them.
func (a *api) parentLabels(ctx context.Context, c *magnum.Cluster) (magnum.Labels, error) {
	if labels, ok := a.parents.get(c); ok {
		return labels, nil
	}
	t, err := a.templateOfCluster(ctx, c)
	if magnum.KindOf(err) == magnum.NotFound {
		return nil, nil // of an adopted database: nothing to compare with
	}
	if err != nil {
		return nil, err
	}
	a.parents.put(c, t.Labels)
	return t.Labels, nil
}

// templateOfCluster loads a cluster's template, whoever may see it.
func (a *api) templateOfCluster(ctx context.Context, c *magnum.Cluster) (*magnum.ClusterTemplate, error) {
	return a.DB.Template(ctx, state.Scope{All: true}, c.ClusterTemplateID)
}

// loadParents makes sure that the labels of many clusters' templates are
// known: by one statement for one template, as is usual, else by one for all.
func (a *api) loadParents(ctx context.Context, all []*magnum.Cluster) (map[string]magnum.Labels, error) {
	labels := map[string]magnum.Labels{}
	var lacking []*magnum.Cluster
	for _, c := range all {
		if l, ok := a.parents.get(c); ok {
			labels[c.ClusterTemplateID] = l
		} else {
			lacking = append(lacking, c)
		}
	}
	if len(lacking) == 0 {
		return labels, nil
	}
	same := true
	for _, c := range lacking {
		same = same && c.ClusterTemplateID == lacking[0].ClusterTemplateID
	}
	if same {
		l, err := a.parentLabels(ctx, lacking[0])
		if err != nil {
			return nil, err
		}
		labels[lacking[0].ClusterTemplateID] = l
	} else {
		templates, err := a.DB.Templates(ctx, state.Scope{All: true}, state.Page{})
		if err != nil {
			return nil, err
		}
		for _, t := range templates {
			labels[t.UUID] = t.Labels
		}
	}
	for _, c := range lacking {
		if l, ok := labels[c.ClusterTemplateID]; ok {
			a.parents.put(c, l)
		}
	}
	return labels, nil
}
