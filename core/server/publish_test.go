package server

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/state"
)

// installed is a source of drivers of which a test says what is there.
type installed struct {
	Drivers
	all []state.Driver
}

func (i *installed) Installed() ([]state.Driver, error) {
	return append([]state.Driver{}, i.all...), nil
}

// What a host has is told when it changes, and now and then all the same:
// others may have forgotten it. Who tells it counts as up.
func TestPublish(t *testing.T) {
	db := newDB(t)
	one, two := state.Driver{Name: "a", Version: "1.0.0", Active: true}, state.Driver{Name: "b", Version: "1.0.0", Active: true}
	source := &installed{all: []state.Driver{one}}
	p := &publisher{db: db, drivers: source, host: "h", every: time.Hour, logger: hclog.NewNullLogger(), news: make(chan struct{}, 1)}
	// publish tells, and has is what is known then, and whether that was news.
	publish := func(why string, news bool, want ...state.Driver) {
		t.Helper()
		if err := p.publish(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := db.Drivers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]state.Driver{}, want...), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", why, diff)
		}
		if told := len(p.news) > 0; told != news {
			t.Errorf("%s: news %t, want %t", why, told, news)
		}
		for len(p.news) > 0 {
			<-p.news
		}
	}
	forget := func() {
		t.Helper()
		if err := db.PublishDrivers(t.Context(), "h", nil); err != nil {
			t.Fatal(err)
		}
	}
	publish("at first", true, one)
	if all, err := db.Services(t.Context()); err != nil || len(all) != 1 || all[0].Host != "h" || all[0].Binary != state.ConductorBinary {
		t.Errorf("services %v, %v", all, err)
	}
	forget()
	publish("what is the same is not told each time", false)
	p.every = 0
	publish("but sometimes", false, one)
	p.every = time.Hour
	source.all = []state.Driver{one, two}
	publish("one more", true, one, two)
	p.options.DisabledDrivers = []string{"b"}
	two.Active = false
	publish("a gate", true, one, two)
	source.all = nil
	publish("none", true)
	publish("none still", false)
}
