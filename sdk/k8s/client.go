package k8s

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// pageSize is how many objects a page may have.
const pageSize = "500"

// client speaks to one cluster's API for the time of one call.
type client struct{ *coe.Client }

func newClient(a driver.COEAccess) (client, error) {
	c, err := coe.New(a)
	return client{c}, err
}

// list reads all pages of a list of T.
func list[T any](ctx context.Context, c client, path string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", pageSize)
	for {
		body, err := c.Get(ctx, path+"?"+query.Encode())
		if err != nil {
			return nil, err
		}
		var page struct {
			Metadata struct {
				Continue string `json:"continue"`
			} `json:"metadata"`
			Items []T `json:"items"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, driver.Errorf(driver.ClassUnavailable, "%v", fmt.Errorf("read the cluster's %s: %w", path, err))
		}
		all = append(all, page.Items...)
		if page.Metadata.Continue == "" {
			return all, nil
		}
		query.Set("continue", page.Metadata.Continue)
	}
}

// node is what is read of a Kubernetes node.
type node struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Status struct {
		Addresses []struct {
			Type    string `json:"type"`
			Address string `json:"address"`
		} `json:"addresses"`
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
	} `json:"status"`
}

func (c client) nodes(ctx context.Context) ([]node, error) {
	return list[node](ctx, c, "/api/v1/nodes", url.Values{})
}

// pod is what is read of a pod.
type pod struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
		Owners      []struct {
			Kind string `json:"kind"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		NodeName string `json:"nodeName"`
	} `json:"spec"`
}

// movable reports whether the pod would have to go elsewhere if its node went:
// a daemon set's pods and those of the kubelet's own files belong to the node.
func (p pod) movable() bool {
	if _, mirror := p.Metadata.Annotations["kubernetes.io/config.mirror"]; mirror {
		return false
	}
	for _, o := range p.Metadata.Owners {
		if o.Kind == "DaemonSet" || o.Kind == "Node" {
			return false
		}
	}
	return true
}

// pods are those that run or wait to.
func (c client) pods(ctx context.Context) ([]pod, error) {
	return list[pod](ctx, c, "/api/v1/pods", url.Values{"fieldSelector": {"status.phase!=Succeeded,status.phase!=Failed"}})
}
