package keystone

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/hashicorp/go-hclog"
)

const (
	// memcachedTimeout bounds the connecting and each exchange. A server in
	// the same data centre answers within a millisecond; one that does not
	// is slower help than none.
	memcachedTimeout = 250 * time.Millisecond
	// memcachedRest is how long a server that failed is left alone.
	memcachedRest = 30 * time.Second
	// memcachedSlots bounds the exchanges at the same time.
	memcachedSlots = 16
	// maxEntry is what memcached takes by default, with its own overhead.
	maxEntry = 1000 << 10
)

// MemcachedConfig is the cache that processes share.
type MemcachedConfig struct {
	// Servers are host:port or unix:/path, also with inet: or inet6: before
	// them; none turns the shared cache off.
	Servers []string
	// Strategy is NONE (also empty), MAC or ENCRYPT; the latter two need a
	// Secret. Without, whoever can write to a server can be anybody.
	Strategy, Secret string
}

// sharedCache keeps Keystone's answers where other processes find them. It is
// there to spare Keystone questions: whatever goes wrong with it is as if it
// were empty. A nil one is always empty.
type sharedCache struct {
	client  *memcache.Client
	sealer  *entrySealer
	servers []*memcached
	slots   chan struct{}
	now     func() time.Time
	logger  hclog.Logger
}

// memcached is one server, and its address.
type memcached struct {
	network, address string
	restUntil        atomic.Int64 // Unix nanoseconds
}

func (m *memcached) Network() string { return m.network }
func (m *memcached) String() string  { return m.address }

func newSharedCache(c MemcachedConfig, now func() time.Time, logger hclog.Logger) (*sharedCache, error) {
	if len(c.Servers) == 0 {
		return nil, nil
	}
	s := &sharedCache{slots: make(chan struct{}, memcachedSlots), now: now, logger: logger}
	for _, text := range c.Servers {
		server, err := parseServer(text)
		if err != nil {
			return nil, err
		}
		s.servers = append(s.servers, server)
	}
	var err error
	if s.sealer, err = newEntrySealer(c.Strategy, c.Secret); err != nil {
		return nil, err
	}
	if s.sealer.strategy == strategyNone {
		logger.Warn("[keystone_authtoken] memcache_security_strategy is None: whoever can write to the memcached servers can be anybody here")
	}
	s.client = memcache.NewFromSelector(s)
	s.client.Timeout = memcachedTimeout
	s.client.MaxIdleConns = memcachedSlots
	s.client.DialContext = dialGuarded
	return s, nil
}

func parseServer(text string) (*memcached, error) {
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		return &memcached{network: "unix", address: path}, nil
	}
	address := text
	for _, prefix := range []string{"inet6:", "inet:"} {
		if rest, ok := strings.CutPrefix(address, prefix); ok {
			address = rest
			break
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "11211"
	}
	if host == "" || port == "" || strings.ContainsAny(host, " /") {
		return nil, fmt.Errorf("[keystone_authtoken] memcached_servers: expected host:port or unix:/path, found %q", text)
	}
	return &memcached{network: "tcp", address: net.JoinHostPort(host, port)}, nil
}

// PickServer spreads names over the servers; gomemcache asks it.
func (s *sharedCache) PickServer(name string) (net.Addr, error) { return s.server(name), nil }

// Each is for operations that are not used.
func (s *sharedCache) Each(func(net.Addr) error) error { return memcache.ErrNoServers }

func (s *sharedCache) server(name string) *memcached {
	return s.servers[crc32.ChecksumIEEE([]byte(name))%uint32(len(s.servers))]
}

// get finds what was said of a token, and until when to believe it; nil where
// there is nothing to rely on.
func (s *sharedCache) get(key tokenKey) (raw []byte, until time.Time) {
	if s == nil {
		return nil, time.Time{}
	}
	name := s.sealer.name(key)
	s.use(name, func() error {
		item, err := s.client.Get(name)
		if err != nil {
			return err
		}
		if item.Key != name {
			return errors.New("an answer to another question")
		}
		if raw, until, err = s.sealer.open(name, item.Value); err != nil {
			s.logger.Warn("an entry of memcached is not ours; it is ignored", "server", s.server(name), "reason", err)
		}
		return nil
	})
	return raw, until
}

// put offers what was said of a token to the other processes.
func (s *sharedCache) put(key tokenKey, raw []byte, until time.Time) {
	if s == nil || len(raw) > maxEntry-1024 {
		return
	}
	// Rounded up: what counts is the time within the entry.
	seconds := int64(until.Sub(s.now())/time.Second) + 1
	name := s.sealer.name(key)
	entry := s.sealer.seal(name, raw, until)
	s.use(name, func() error {
		const month = 30 * 24 * 60 * 60 // more is taken for a date
		return s.client.Set(&memcache.Item{Key: name, Value: entry, Expiration: int32(min(seconds, month))})
	})
}

// use does something with the server of a name, unless that has failed lately
// or everybody is there already.
func (s *sharedCache) use(name string, do func() error) {
	m := s.server(name)
	if s.now().UnixNano() < m.restUntil.Load() {
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return
	}
	err := do()
	var timeout net.Error
	if err != nil && !isMiss(err) && (!errors.As(err, &timeout) || !timeout.Timeout()) {
		// Perhaps only the connection was old: after a restart of the server
		// all that were kept are.
		_ = s.client.Close()
		err = do()
	}
	if err == nil || isMiss(err) {
		return
	}
	now := s.now()
	if last := m.restUntil.Swap(now.Add(memcachedRest).UnixNano()); last <= now.UnixNano() {
		// gomemcache's errors may quote what a server said.
		s.logger.Warn("a memcached server fails; tokens are validated without it for a while", "server", m, "for", memcachedRest, "reason", reason(err))
	}
}

func isMiss(err error) bool {
	return errors.Is(err, memcache.ErrCacheMiss) || errors.Is(err, memcache.ErrNotStored)
}

// hexKey is a token's name where there is no secret to make one with.
func hexKey(key tokenKey) string { return hex.EncodeToString(key[:]) }
