package keystone_test

import (
	"testing"

	"github.com/go-magnum/magnum/core/keystone/keystonetest"
)

// BenchmarkCached is what a validation costs each request whose token is
// known: nothing of it may wait for another request's.
func BenchmarkCached(b *testing.B) {
	f := start(b, nil)
	token := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	if _, err := f.Validate(b.Context(), token); err != nil {
		b.Fatal(err)
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Validate(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := f.Validate(b.Context(), token); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
