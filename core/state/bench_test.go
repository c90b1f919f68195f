package state

import (
	"fmt"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
)

func benchDB(b *testing.B, clusters int) (*DB, []*magnum.Cluster) {
	b.Helper()
	db, _ := openNew(b)
	template := addTemplate(b, db)
	all := make([]*magnum.Cluster, clusters)
	for i := range all {
		all[i] = newCluster(template, fmt.Sprintf("cluster-%d", i))
		if err := db.AcceptCreate(b.Context(), all[i], &magnum.Operation{Kind: magnum.OpCreate}, 1<<30); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	return db, all
}

func BenchmarkCluster(b *testing.B) {
	db, all := benchDB(b, 100)
	for b.Loop() {
		if _, err := db.Cluster(b.Context(), Scope{ProjectID: "p"}, all[50].UUID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClusterParallel(b *testing.B) {
	db, all := benchDB(b, 100)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := db.Cluster(b.Context(), Scope{ProjectID: "p"}, all[50].UUID); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkClusterByName(b *testing.B) {
	db, all := benchDB(b, 100)
	for b.Loop() {
		if _, err := db.Cluster(b.Context(), Scope{ProjectID: "p"}, all[50].Name); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTemplate(b *testing.B) {
	db, all := benchDB(b, 1)
	for b.Loop() {
		if _, err := db.Template(b.Context(), Scope{ProjectID: "p"}, all[0].ClusterTemplateID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClusters100(b *testing.B) {
	db, _ := benchDB(b, 100)
	for b.Loop() {
		if _, err := db.Clusters(b.Context(), Scope{ProjectID: "p"}, Page{Limit: 1000}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAcceptCreate(b *testing.B) {
	db, all := benchDB(b, 1)
	template := &magnum.ClusterTemplate{UUID: all[0].ClusterTemplateID}
	for b.Loop() {
		if err := db.AcceptCreate(b.Context(), newCluster(template, "c"), &magnum.Operation{Kind: magnum.OpCreate}, 1<<30); err != nil {
			b.Fatal(err)
		}
	}
}
