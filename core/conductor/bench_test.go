package conductor

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// BenchmarkVisible is from the end of a stack in Heat to the cluster's, as the
// database has it for the API, while a few other operations wait.
func BenchmarkVisible(b *testing.B) {
	o := newBench(b)
	o.clock.live = true
	o.heat.Hold = true
	c := o.conductor()
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Run(ctx) })
	defer running.Wait()
	defer stop()

	for range 10 {
		o.create(nil)
	}
	var took []time.Duration
	for b.Loop() {
		b.StopTimer()
		uuid := o.create(nil)
		eventually(b, func() bool { return o.cluster(uuid).StackID != "" })
		// Anywhere between two looks.
		<-time.After(time.Duration(len(took)%10) * c.Follow / 10)
		b.StartTimer()
		begin := time.Now()
		o.heat.Change(o.cluster(uuid).StackID, func(s *heattest.Stack) { s.Status = "CREATE_COMPLETE" })
		eventually(b, func() bool { return o.cluster(uuid).Status == magnum.CreateComplete })
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds(), "p50-s")
	b.ReportMetric(took[len(took)-1].Seconds(), "max-s")
}

// BenchmarkFollow is one look at all of 2,000 clusters whose stacks Heat is
// busy with.
func BenchmarkFollow(b *testing.B) {
	const clusters = 2_000
	o := newBench(b)
	o.clock.live = true
	o.heat.Hold = true
	c := o.conductor()
	ctx := b.Context()
	first := o.create(nil)
	o.until("the first stack is followed", func() bool { return c.follower.len() == 1 }, c)
	model := o.cluster(first)
	for i := 1; i < clusters; i++ {
		more := *model
		more.UUID, more.Name = "", fmt.Sprintf("cluster-%d", i)
		more.NodeGroups = slices.Clone(model.NodeGroups)
		for g := range more.NodeGroups {
			more.NodeGroups[g].UUID = ""
		}
		more.StackID = o.heat.Put(heattest.Stack{Name: more.Name, Project: keystonetest.DemoProj, Status: "CREATE_IN_PROGRESS"})
		o.must(o.db.AcceptCreate(ctx, &more, &magnum.Operation{Kind: magnum.OpCreate, Phase: phaseFollow, Deadline: time.Now().Add(time.Hour)}, clusters))
	}
	for c.follower.len() < clusters {
		before := c.follower.len()
		c.claim(ctx)
		c.busy.Wait()
		c.keepAll(ctx)
		if c.follower.len() == before {
			b.Fatalf("%d are followed of %d", before, clusters)
		}
	}
	before := o.heat.Count()
	passes := 0
	for b.Loop() {
		c.pass(ctx)
		passes++
	}
	if n := c.follower.len(); n != clusters {
		b.Fatalf("%d are still followed of %d", n, clusters)
	}
	b.ReportMetric(float64(o.heat.Count()-before)/float64(passes)/(clusters/100), "calls/100")
}
