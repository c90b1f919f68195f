package keystone

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestTokenCache(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newTokenCache(2 * cacheShards)
	key := func(n byte) tokenKey { return tokenKey{0, n} } // all in one shard
	for n := range byte(2) {
		c.put(key(n), &validated{until: now.Add(time.Minute)}, now)
	}
	now = now.Add(time.Second)
	c.get(key(0), now)
	c.put(key(2), &validated{until: now.Add(time.Minute)}, now) // 1 was used longest ago
	if c.get(key(0), now) == nil || c.get(key(1), now) != nil || c.get(key(2), now) == nil {
		t.Error("the wrong one was forgotten")
	}
	c.put(key(2), &validated{until: now.Add(time.Second)}, now) // in its own place
	if c.get(key(0), now) == nil {
		t.Error("a repeat drove another out")
	}
	now = now.Add(time.Second)
	if c.get(key(2), now) != nil {
		t.Error("2 is believed after its time")
	}
	c.put(key(3), &validated{until: now.Add(time.Minute)}, now) // in the place of what has run out
	if c.get(key(0), now) == nil || c.get(key(3), now) == nil || len(*c.shards[0].items.Load()) != 2 {
		t.Error("what has run out keeps its place")
	}
}

// TestTokenCacheBounded fills it from many sides.
func TestTokenCacheBounded(t *testing.T) {
	c := newTokenCache(256)
	now := time.Unix(1000, 0)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 500 {
				key := keyOf(fmt.Sprint(i, "-", j), false)
				c.put(key, &validated{until: now.Add(time.Minute)}, now)
				c.get(key, now)
			}
		})
	}
	all.Wait()
	n := 0
	for i := range c.shards {
		n += len(*c.shards[i].items.Load())
	}
	if n != 256 {
		t.Errorf("%d tokens are kept", n)
	}
}
