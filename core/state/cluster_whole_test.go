package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
)

// TestWholeAsWritten holds that a cluster is read as the writers read it, who
// leave that to bun.
func TestWholeAsWritten(t *testing.T) {
	db, _ := openNew(t)
	c := newCluster(addTemplate(t, db), "c")
	c.FloatingIPEnabled, c.DockerVolumeSize, c.HealthReason = true, 7, map[string]string{"ü": "\n"}
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Fatal(err)
	}
	err := db.Accept(t.Context(), c.UUID, nil, func(held *magnum.Cluster) error {
		for _, ident := range []string{c.UUID, c.Name} {
			got, err := db.Cluster(t.Context(), Scope{ProjectID: "p"}, ident)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(held, got); diff != "" {
				t.Errorf("by %s (-written +read):\n%s", ident, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWholeOfStrangers holds that what others may not see does not leave the
// database.
func TestWholeOfStrangers(t *testing.T) {
	db, _ := openNew(t)
	c := newCluster(addTemplate(t, db), "c")
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Fatal(err)
	}
	for scope, want := range map[Scope]int{{ProjectID: "p"}: 4, {ProjectID: "q", UserID: "u"}: 0, {UserID: "v"}: 0, {}: 0} {
		where, args := scope.where("c")
		w, err := db.whole(t.Context(), where+" AND c.uuid = ?", append(args, c.UUID))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(w.pins) + len(w.clusters) + len(w.groups); got != want {
			t.Errorf("%+v: %d rows, want %d", scope, got, want)
		}
	}
}
