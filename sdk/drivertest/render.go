package drivertest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// Render has a driver render a stack for somebody to look at: that of the
// suite's own request for an intent, with what is given in place of its fields.
// Those have the names that RenderRequest has in the contract, such as cluster
// and node_groups; maps are taken together, and so are node groups of one name.
func Render(ctx context.Context, p Process, intent driver.Intent, given map[string]any) (*pb.RenderResponse, error) {
	s := &session{process: p}
	client, err := s.templates(ctx)
	if err != nil {
		return nil, err
	}
	how := use{intent: intent}
	for _, u := range uses() {
		if u.intent == intent {
			how = u
		}
	}
	r, err := merged(s.request(how), given)
	if err != nil {
		return nil, err
	}
	if how.group == extraGroup && r.GetClusterOutputs() == nil {
		// The group joins a cluster, whose stack has outputs.
		whole := clone(r)
		whole.Intent, whole.NodeGroup = string(driver.IntentCreate), ""
		out, err := client.Render(ctx, whole)
		if err != nil {
			return nil, fmt.Errorf("render the cluster of the node group: %w", err)
		}
		r.ClusterOutputs = outputsOf(out)
	}
	return client.Render(ctx, r)
}

// merged is a request with other values. It goes by way of JSON, where a zero is
// a value like others.
func merged(r *pb.RenderRequest, given map[string]any) (*pb.RenderRequest, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r)
	if err != nil {
		return nil, err
	}
	base := map[string]any{}
	if err := json.Unmarshal(text, &base); err != nil {
		return nil, err
	}
	overlay(base, given)
	if text, err = json.Marshal(base); err != nil {
		return nil, err
	}
	out := &pb.RenderRequest{}
	if err := protojson.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("the request is not one of the contract: %w", err)
	}
	return out, nil
}

func overlay(base, given map[string]any) {
	for name, value := range given {
		switch under := base[name].(type) {
		case map[string]any:
			if over, ok := value.(map[string]any); ok {
				overlay(under, over)
				continue
			}
		case []any:
			if over, ok := value.([]any); ok && name == "node_groups" {
				base[name] = groupsOf(under, over)
				continue
			}
		}
		base[name] = value
	}
}

// groupsOf are node groups with those given laid over those of the same names.
func groupsOf(under, over []any) []any {
	at := map[any]map[string]any{}
	for _, g := range under {
		if m, ok := g.(map[string]any); ok {
			at[m["name"]] = m
		}
	}
	all := under
	for _, g := range over {
		m, ok := g.(map[string]any)
		if have := at[m["name"]]; ok && have != nil {
			maps.Copy(have, m)
		} else {
			all = append(all, g)
		}
	}
	return all
}
