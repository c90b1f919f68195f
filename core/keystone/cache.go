package keystone

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// cacheShards divides the cache, so that an entry that is put copies a part of
// it only.
const cacheShards = 16

// tokenCache keeps the tokens that Keystone vouched for. Every request looks
// into it and few put anything, each after an answer of Keystone's: so readers
// take no lock, and a writer replaces the map it changes.
type tokenCache struct {
	shards [cacheShards]cacheShard
	size   int // of a shard
}

type cacheShard struct {
	items atomic.Pointer[map[tokenKey]*validated]
	turn  sync.Mutex
}

func newTokenCache(size int) *tokenCache {
	c := &tokenCache{size: max(size/cacheShards, 1)}
	for i := range c.shards {
		c.shards[i].items.Store(&map[tokenKey]*validated{})
	}
	return c
}

// get finds what may still be believed.
func (c *tokenCache) get(key tokenKey, now time.Time) *validated {
	v := (*c.shards[key[0]%cacheShards].items.Load())[key]
	if v == nil || !now.Before(v.until) {
		return nil
	}
	// Once a second is enough to tell what is in use, and spares processors
	// that serve the same token from passing this line to and fro.
	if second := now.Unix(); v.used.Load() != second {
		v.used.Store(second)
	}
	return v
}

// put forgets what has run out and, if the shard is full still, what was used
// longest ago.
func (c *tokenCache) put(key tokenKey, v *validated, now time.Time) {
	s := &c.shards[key[0]%cacheShards]
	v.used.Store(now.Unix())
	s.turn.Lock()
	defer s.turn.Unlock()
	items := maps.Clone(*s.items.Load())
	maps.DeleteFunc(items, func(_ tokenKey, old *validated) bool { return !now.Before(old.until) })
	if _, there := items[key]; !there && len(items) >= c.size {
		var last tokenKey
		oldest := now.Unix() + 1
		for k, old := range items {
			if used := old.used.Load(); used < oldest {
				last, oldest = k, used
			}
		}
		delete(items, last)
	}
	items[key] = v
	s.items.Store(&items)
}
