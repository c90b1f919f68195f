package heat

import (
	"context"
	"net/url"
	"slices"
)

// perList is how many stacks one list call asks for: with their ids in the
// query the address stays under the 8 KiB that Heat's servers take.
const perList = 150

// Status shows one stack; magnum.NotFound where it is gone.
func (c *Client) Status(ctx context.Context, s Session, ref Ref) (Stack, error) {
	ref, err := c.locate(ctx, s, ref)
	if err != nil {
		return Stack{}, err
	}
	var show struct{ Stack Stack }
	// Outputs cost Heat many calls of its own, and nobody reads them here.
	err = c.get(ctx, s, "show", "show the stack", ref.path()+"?resolve_outputs=False", &show)
	if err == nil && show.Stack.Status == "DELETE_COMPLETE" {
		err = notFound(ref) // a deleted stack can be shown for a while
	}
	return show.Stack, err
}

// Statuses lists those of the stacks that exist, by id, with one call for each
// [perList] of them.
func (c *Client) Statuses(ctx context.Context, s Session, ids []string) (map[string]Stack, error) {
	found := make(map[string]Stack, len(ids))
	for chunk := range slices.Chunk(ids, perList) {
		var page struct{ Stacks []Stack }
		if err := c.get(ctx, s, "list", "list stacks", "?"+url.Values{"id": chunk}.Encode(), &page); err != nil {
			return nil, err
		}
		for _, st := range page.Stacks {
			if slices.Contains(chunk, st.ID) && st.Status != "DELETE_COMPLETE" {
				found[st.ID] = st
			}
		}
	}
	return found, nil
}
