package cert_test

import (
	"database/sql"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// rows are the uuids in x509keypair, whatever anybody says of them.
func (f *fixture) rows(t *testing.T) []string {
	t.Helper()
	db, err := sql.Open("sqlite3", f.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	found, err := db.QueryContext(t.Context(), "SELECT uuid FROM x509keypair ORDER BY uuid")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	var all []string
	for found.Next() {
		var uuid string
		if err := found.Scan(&uuid); err != nil {
			t.Fatal(err)
		}
		all = append(all, uuid)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// begin puts a rotation under way on the cluster, which refers to what the
// fixture's copy refers to.
func (f *fixture) begin(t *testing.T) *magnum.Operation {
	t.Helper()
	if err := f.db.Finish(t.Context(), f.claim(t), nil); err != nil { // its create
		t.Fatal(err)
	}
	err := f.db.Accept(t.Context(), f.cluster.UUID, &magnum.Operation{Kind: magnum.OpRotateCA}, func(c *magnum.Cluster) error {
		c.CACertRef, c.MagnumCertRef = f.cluster.CACertRef, f.cluster.MagnumCertRef
		c.EtcdCACertRef, c.FrontProxyCertRef = f.cluster.EtcdCACertRef, f.cluster.FrontProxyCertRef
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f.claim(t)
}

func (f *fixture) claim(t *testing.T) *magnum.Operation {
	t.Helper()
	ops, err := f.db.Claim(t.Context(), state.Claimant{Owner: "owner"}, time.Hour, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if op.ClusterUUID == f.cluster.UUID {
			return op
		}
	}
	t.Fatal("nothing to claim")
	return nil
}

func (f *fixture) load(t *testing.T) *magnum.Cluster {
	t.Helper()
	c, err := f.db.Cluster(t.Context(), state.Scope{All: true}, f.cluster.UUID)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// material is all that is handed out of a cluster.
type material struct {
	CA, Etcd, FrontProxy, Client, Account string
}

func (f *fixture) material(t *testing.T) material {
	t.Helper()
	c := f.load(t)
	var m material
	for caType, into := range map[string]*string{"": &m.CA, "etcd": &m.Etcd, "front_proxy": &m.FrontProxy} {
		var err error
		if *into, err = f.CA(t.Context(), c, caType); err != nil {
			t.Fatal(err)
		}
	}
	m.Client = f.keypair(t, c.MagnumCertRef).Certificate
	public, _, err := f.ServiceAccount(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := f.db.ClusterKeypairs(t.Context(), c.UUID)
	if err != nil {
		t.Fatal(err)
	}
	m.Account = pairs["service-account"].UUID // the keys in stock are few
	if pairs["service-account"].Certificate != public {
		t.Error("the service account's keys are others than those on record")
	}
	// What is minted at this moment is from the authority that is shown.
	access, err := f.Mint(t.Context(), c, "admin", "system:masters", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if access.CACert != m.CA {
		t.Error("certificates are minted by another authority than the one shown")
	}
	verify(t, parse(t, access.ClientCert), parse(t, m.CA), f.now)
	verify(t, parse(t, m.Client), parse(t, m.CA), f.now)
	return m
}

func same(a, b material) bool { return a == b }

// differs reports whether nothing of one set is in the other.
func differs(a, b material) bool {
	return a.CA != b.CA && a.Etcd != b.Etcd && a.FrontProxy != b.FrontProxy && a.Client != b.Client && a.Account != b.Account
}

func TestRotate(t *testing.T) {
	type step func(*testing.T, *fixture, *magnum.Operation)
	stage := func(t *testing.T, f *fixture, op *magnum.Operation) {
		if err := f.Stage(t.Context(), op, f.load(t)); err != nil {
			t.Fatal(err)
		}
	}
	advance := func(how state.KeypairChange) step {
		return func(t *testing.T, f *fixture, op *magnum.Operation) {
			if err := f.db.AdvanceKeypairs(t.Context(), op, how); err != nil {
				t.Fatal(err)
			}
		}
	}
	finish := func(how state.KeypairChange) step {
		return func(t *testing.T, f *fixture, op *magnum.Operation) {
			if err := f.db.FinishKeypairs(t.Context(), op, how); err != nil {
				t.Fatal(err)
			}
		}
	}
	promote := advance(cert.Promote)
	tests := map[string]struct {
		steps   []step
		rotated bool
	}{
		"all the way":                  {[]step{stage, promote, finish(cert.Retire)}, true},
		"each step repeated":           {[]step{stage, stage, promote, promote, promote, advance(cert.Retire), finish(cert.Retire)}, true},
		"failed before it began":       {[]step{finish(cert.Demote)}, false},
		"failed with a set staged":     {[]step{stage, finish(cert.Demote)}, false},
		"failed early":                 {[]step{stage, promote, finish(cert.Demote)}, false},
		"failed early, repeated":       {[]step{stage, promote, promote, advance(cert.Demote), finish(cert.Demote)}, false},
		"failed late":                  {[]step{stage, promote, finish(cert.Retire)}, true},
		"failed early, and once again": {[]step{stage, promote, advance(cert.Demote), stage, promote, finish(cert.Retire)}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, cert.Config{})
			f.generate(t)
			op := f.begin(t)
			before := f.material(t)
			// Another cluster's keys are nobody's business.
			other := f.add(t, "other")
			if _, err := f.Generate(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			f.keys.Store(0)
			for i, step := range tc.steps {
				step(t, f, op)
				if n := len(f.rows(t)); n != 10 && n != 15 {
					t.Errorf("after step %d there are %d keypairs: there never are more sets than two", i, n-5)
				}
				f.material(t) // whatever comes of it, what there is works
			}
			after := f.material(t)
			if tc.rotated && !differs(before, after) || !tc.rotated && !same(before, after) {
				t.Errorf("rotated %v, want %v", !same(before, after), tc.rotated)
			}
			pairs, err := f.db.ClusterKeypairs(t.Context(), f.cluster.UUID)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"ca", "etcd-ca", "front-proxy-ca", "magnum", "service-account"}
			if d := cmp.Diff(want, slices.Sorted(maps.Keys(pairs))); d != "" || len(f.rows(t)) != 10 {
				t.Errorf("%d rows, purposes (-want +got):\n%s", len(f.rows(t)), d)
			}
		})
	}
}

// Keys are dear: a set that is there already is not made to be thrown away.
func TestStageTwiceIsOnce(t *testing.T) {
	f := newFixture(t, cert.Config{})
	f.generate(t)
	op := f.begin(t)
	f.keys.Store(0)
	for range 2 {
		if err := f.Stage(t.Context(), op, f.load(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.keys.Load(); n != 5 {
		t.Errorf("%d keys were made", n)
	}
}

// A rotation whose repeats come from a conductor that lost it makes nothing.
func TestStageWithoutTheOperation(t *testing.T) {
	f := newFixture(t, cert.Config{})
	f.generate(t)
	op := f.begin(t)
	if err := f.db.Finish(t.Context(), op, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Stage(t.Context(), op, f.load(t)); err == nil {
		t.Error("staged")
	}
	if n := len(f.rows(t)); n != 5 {
		t.Errorf("%d keypairs", n)
	}
}

// Of a cluster that goes in the middle of it nothing is left.
func TestDeleteDuringRotation(t *testing.T) {
	for name, promoted := range map[string]bool{"staged": false, "promoted": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, cert.Config{})
			f.generate(t)
			op := f.begin(t)
			if err := f.Stage(t.Context(), op, f.load(t)); err != nil {
				t.Fatal(err)
			}
			if promoted {
				if err := f.db.AdvanceKeypairs(t.Context(), op, cert.Promote); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Delete(t.Context(), f.load(t)); err != nil {
				t.Fatal(err)
			}
			if left := f.rows(t); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

// An adopted cluster's keypairs are known by its row alone. They are brought
// back, or go, like any other's.
func TestRotateAdopted(t *testing.T) {
	for name, keep := range map[string]bool{"failed early": true, "all the way": false} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, cert.Config{})
			made, err := f.Generate(t.Context(), f.add(t, "template for copies"))
			if err != nil {
				t.Fatal(err)
			}
			ids := map[string]*string{
				made.CA: &f.cluster.CACertRef, made.Magnum: &f.cluster.MagnumCertRef,
				made.EtcdCA: &f.cluster.EtcdCACertRef, made.FrontProxyCA: &f.cluster.FrontProxyCertRef,
			}
			var adopted []string
			for from, ref := range ids {
				pair := f.keypair(t, from)
				pair.UUID = "adopted-" + from
				if err := f.db.SaveKeypair(t.Context(), pair); err != nil {
					t.Fatal(err)
				}
				*ref = pair.UUID
				adopted = append(adopted, pair.UUID)
			}
			op := f.begin(t)
			if err := f.Stage(t.Context(), op, f.load(t)); err != nil {
				t.Fatal(err)
			}
			if err := f.db.AdvanceKeypairs(t.Context(), op, cert.Promote); err != nil {
				t.Fatal(err)
			}
			how := cert.Retire
			if keep {
				how = cert.Demote
			}
			if err := f.db.FinishKeypairs(t.Context(), op, how); err != nil {
				t.Fatal(err)
			}
			for _, uuid := range adopted {
				if there := slices.Contains(f.rows(t), uuid); there != keep {
					t.Errorf("%s is there: %v, want %v", uuid, there, keep)
				}
			}
			if got := f.load(t).CACertRef; (got == f.cluster.CACertRef) != keep {
				t.Errorf("the cluster refers to %s", got)
			}
			f.material(t)
		})
	}
}
