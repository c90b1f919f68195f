package heat

import (
	"context"
	"fmt"
	"slices"
)

// Server is a stack's server as Nova knows it.
type Server struct {
	Name string
	// Addresses are those in its networks, sorted; floating ones are not among
	// them.
	Addresses []string
}

// Servers are those of a stack and of the stacks nested in it, by Nova's id.
// Heat asks Nova for each of them, so this is for when somebody needs to know.
func (c *Client) Servers(ctx context.Context, s Session, ref Ref) (map[string]Server, error) {
	ref, err := c.locate(ctx, s, ref)
	if err != nil {
		return nil, err
	}
	var page struct {
		Resources []struct {
			ID         string `json:"physical_resource_id"`
			Attributes *struct {
				Name      string
				Addresses map[string][]struct {
					Addr string
					Type string `json:"OS-EXT-IPS:type"`
				}
			}
		}
	}
	const query = "nested_depth=%d&with_detail=true&type=OS::Nova::Server"
	if err := c.get(ctx, s, "servers", "look at the stack's servers", fmt.Sprintf("%s/resources?"+query, ref.path(), nestedDepth), &page); err != nil {
		return nil, err
	}
	servers := map[string]Server{}
	for _, r := range page.Resources {
		if r.ID == "" || r.Attributes == nil {
			continue
		}
		one := Server{Name: r.Attributes.Name}
		// A network is listed twice, under its name and under its id.
		for _, network := range r.Attributes.Addresses {
			for _, a := range network {
				if a.Type == "fixed" && !slices.Contains(one.Addresses, a.Addr) {
					one.Addresses = append(one.Addresses, a.Addr)
				}
			}
		}
		slices.Sort(one.Addresses)
		servers[r.ID] = one
	}
	return servers, nil
}
