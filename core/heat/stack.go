package heat

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-magnum/magnum/core/magnum"
)

// Stack is how a stack stands.
type Stack struct {
	ID           string `json:"id"`
	Name         string `json:"stack_name"`
	Status       string `json:"stack_status"`
	StatusReason string `json:"stack_status_reason"`
	// Updated changes with every update of the stack.
	Updated string `json:"updated_time"`
}

// Ref names the stack.
func (s Stack) Ref() Ref { return Ref{ID: s.ID, Name: s.Name} }

// Find looks a stack up by its name; nil where there is none.
func (c *Client) Find(ctx context.Context, s Session, name string) (*Stack, error) {
	// By list and filter: the way by name alone is a redirect to an address
	// that Heat makes up from its own, which behind a proxy is often wrong.
	var page struct{ Stacks []Stack }
	if err := c.get(ctx, s, "find", "find the stack", "?name="+url.QueryEscape(name), &page); err != nil {
		return nil, err
	}
	for _, st := range page.Stacks {
		if st.Name == name && st.Status != "DELETE_COMPLETE" {
			return &st, nil
		}
	}
	return nil, nil
}

// Ensure returns the id of the stack r.Name, which it creates if there is
// none. It never makes a second one: not when called again, and not when
// Heat's answer to the create was lost.
//
// A create that is on its way is not called off when ctx ends, or nobody
// would learn whether Heat has it. It ends within the client's time limits.
func (c *Client) Ensure(ctx context.Context, s Session, r Request) (string, error) {
	found, err := c.Find(ctx, s, r.Name)
	if err != nil {
		return "", err
	}
	if found != nil {
		return found.ID, nil
	}
	body, secrets, err := r.body(ctx)
	if err != nil {
		return "", err
	}
	body["stack_name"] = r.Name
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ctx = context.WithoutCancel(ctx)
	var made struct{ Stack struct{ ID string } }
	err = mapped("create the stack", c.call(ctx, s, "create", http.MethodPost, "", body, &made), secrets...)
	if err == nil && made.Stack.ID != "" {
		return made.Stack.ID, nil
	}
	if err != nil && magnum.KindOf(err) != magnum.Unavailable && magnum.KindOf(err) != magnum.Conflict {
		return "", err
	}
	// No word, or word that the name is taken: by us, then.
	found, lookErr := c.Find(ctx, s, r.Name)
	if lookErr == nil && found != nil {
		return found.ID, nil
	}
	if err == nil {
		err = magnum.Errorf(magnum.Unavailable, "Heat answered a create without an id")
	}
	return "", err
}

// Update changes a stack to what r says; parameters that r does not have keep
// their values. Sending the same update twice is harmless. Conflict means that
// Heat is still busy with the stack.
func (c *Client) Update(ctx context.Context, s Session, ref Ref, r Request) error {
	ref, err := c.locate(ctx, s, ref)
	if err != nil {
		return err
	}
	body, secrets, err := r.body(ctx)
	if err != nil {
		return err
	}
	return mapped("update the stack", c.call(ctx, s, "update", http.MethodPatch, ref.path(), body, nil), secrets...)
}

// Delete asks Heat to remove a stack. One that is gone already is fine.
func (c *Client) Delete(ctx context.Context, s Session, ref Ref) error {
	ref, err := c.locate(ctx, s, ref)
	if err == nil {
		err = mapped("delete the stack", c.call(ctx, s, "delete", http.MethodDelete, ref.path(), nil, nil))
	}
	if err != nil && magnum.KindOf(err) != magnum.NotFound {
		return err
	}
	return nil
}
