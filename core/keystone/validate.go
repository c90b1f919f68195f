package keystone

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/core/magnum"
)

// maxToken is longer than any token that gets through a web server's limit of
// headers: Fernet's have some 250 bytes, JWS' a few thousand.
const maxToken = 8 << 10

// tokenKey is a token's SHA-256, and whether it may have run out. The token
// itself is not kept as a key, so a look into the cache's keys gives nothing
// away.
type tokenKey [sha256.Size + 1]byte

func keyOf(token string, expired bool) tokenKey {
	var key tokenKey
	var room [512]byte // so that hardly a token needs memory of its own
	sum := sha256.Sum256(append(room[:0], token...))
	copy(key[:], sum[:])
	if expired {
		key[sha256.Size] = 1
	}
	return key
}

// validated is what Keystone says of a token.
type validated struct {
	identity *Identity
	catalog  []tokens.CatalogEntry
	rules    *accessRules // nil: the token may be used for anything
	until    time.Time
	used     atomic.Int64 // second of the last use
}

var errToken = &magnum.Error{Kind: magnum.Unauthorized, Message: "The request you have made requires authentication."}

// Request is what a caller presents to be let in.
type Request struct {
	Token string
	// ServiceToken is that of a service that passes the caller's on; often
	// empty.
	ServiceToken string
	// Method and Path are what is asked for. Tokens of application credentials
	// may be restricted to some.
	Method, Path string
}

// Authenticate says who calls. A token that Keystone does not know is
// magnum.Unauthorized; without an answer from Keystone the caller is unknown
// too, and the error is magnum.Unavailable.
//
// A service's token lets the caller's own have run out, within the time that
// Keystone allows. One that is not good refuses the request, whatever the
// caller's is.
func (k *Client) Authenticate(ctx context.Context, r Request) (*Identity, error) {
	var service *Service
	trusted := false
	if r.ServiceToken != "" {
		v, err := k.look(ctx, r.ServiceToken, false)
		if err != nil {
			return nil, err
		}
		trusted = slices.ContainsFunc(v.identity.Roles, func(role string) bool { return slices.Contains(k.cfg.Tokens.ServiceRoles, role) })
		if !trusted && !k.cfg.Tokens.AnyServiceToken {
			k.cfg.Logger.Info("a service token was refused: its user has none of the [keystone_authtoken] service_token_roles", "user", v.identity.UserID)
			return nil, errToken
		}
		service = v.identity.service()
	}
	v, err := k.look(ctx, r.Token, trusted)
	if err != nil {
		return nil, err
	}
	if v.rules != nil && !trusted {
		if err := v.rules.allow(k.cfg.Tokens.ServiceType, r.Method, r.Path); err != nil {
			k.cfg.Logger.Info("a token of an application credential was refused", "user", v.identity.UserID, "reason", err)
			return nil, errToken
		}
	}
	id := v.identity.clone()
	id.Service = service
	return id, nil
}

// Validate is Authenticate for a token by itself. One that is restricted to
// some requests is refused.
func (k *Client) Validate(ctx context.Context, token string) (*Identity, error) {
	return k.Authenticate(ctx, Request{Token: token})
}

// look finds out about a token: from the cache, or with whoever asks Keystone
// about the same one already.
func (k *Client) look(ctx context.Context, token string, expired bool) (*validated, error) {
	token = strings.TrimSpace(token)
	now := k.cfg.Now()
	if v := k.valid.get(keyOf(token, false), now); v != nil {
		k.lookups.cache.Inc()
		return v, nil
	}
	if !isToken(token) {
		return nil, errToken
	}
	q := question{key: keyOf(token, expired), token: token, expired: expired}
	if expired {
		if v := k.valid.get(q.key, now); v != nil {
			k.lookups.cache.Inc()
			return v, nil
		}
	}
	if until, ok := k.refused.get(q.key); ok && now.Before(until) {
		k.lookups.cache.Inc()
		return nil, errToken
	}
	return k.join(ctx, q)
}

// join waits for the one question that all ask who present this token. It must
// not end with the one who asked first, so it has its own time limit instead
// of that caller's.
func (k *Client) join(ctx context.Context, q question) (*validated, error) {
	answer := k.flight.DoChan(string(q.key[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.cfg.Tokens.Limit)
		defer cancel()
		return k.learn(ctx, q)
	})
	select {
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, outage(ctx.Err())
		}
		return nil, fmt.Errorf("validate a token: %w", ctx.Err())
	case r := <-answer:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*validated), nil
	}
}

// isToken reports whether a text can be one at all, and a header's value.
func isToken(s string) bool {
	return s != "" && len(s) <= maxToken && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// question is a token of which nothing is known yet.
type question struct {
	key     tokenKey
	token   string
	expired bool // it may have run out
}

// learn asks the cache that processes share, then Keystone, and remembers the
// answer.
func (k *Client) learn(ctx context.Context, q question) (*validated, error) {
	now := k.cfg.Now()
	if v := k.valid.get(q.key, now); v != nil {
		return v, nil // since the caller looked
	}
	if v := k.recall(q); v != nil {
		k.lookups.memcached.Inc()
		k.valid.put(q.key, v, now)
		return v, nil
	}
	k.lookups.keystone.Inc()
	data, err := k.ask(ctx, q)
	if err == nil {
		var v *validated
		if v, err = k.accept(q, data, k.cfg.Now().Add(k.cfg.CacheTTL)); err == nil {
			k.remember(q, v, data.raw)
			return v, nil
		}
	}
	if magnum.KindOf(err) == magnum.Unauthorized && k.cfg.CacheTTL > 0 {
		k.refused.put(q.key, k.cfg.Now().Add(k.cfg.NegativeTTL))
	}
	return nil, err
}

// accept decides on a token by its data, which may be believed until then at
// most.
func (k *Client) accept(q question, data *tokenData, until time.Time) (*validated, error) {
	if len(data.Bind) > 0 && !k.cfg.Tokens.IgnoreBind {
		k.cfg.Logger.Info("a token was refused: it is bound to a way to log in that cannot be checked here", "user", data.User.ID)
		return nil, errToken
	}
	v := k.read(data, q.token)
	v.until = until
	if !q.expired {
		if !k.cfg.Now().Before(data.ExpiresAt) {
			return nil, errToken
		}
		if data.ExpiresAt.Before(until) {
			v.until = data.ExpiresAt
		}
	}
	return v, nil
}

func (k *Client) remember(q question, v *validated, raw []byte) {
	now := k.cfg.Now()
	if k.cfg.CacheTTL <= 0 || !now.Before(v.until) {
		return
	}
	k.valid.put(q.key, v, now)
	k.shared.put(q.key, raw, v.until)
}

// recall looks for what another process has learnt. What does not stand up to
// the same checks as an answer of Keystone's is as good as nothing.
func (k *Client) recall(q question) *validated {
	raw, until := k.shared.get(q.key)
	if raw == nil {
		return nil
	}
	// Longer than an entry of this process's own would be good: of one that
	// believes tokens longer, of a clock that is ahead, or of a liar.
	if now := k.cfg.Now(); !now.Before(until) || until.After(now.Add(k.cfg.CacheTTL)) {
		return nil
	}
	data, err := parse(raw)
	if err != nil {
		return nil
	}
	v, err := k.accept(q, data, until)
	if err != nil {
		return nil
	}
	return v
}
