package state

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/magnum"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(crashWriter(dir))
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionCleaner"))
}

func openFile(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{
		Connection: "sqlite:///" + path + "?timeout=0.05",
		Now:        func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 890123456, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openNew(t testing.TB) (*DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "magnum.sqlite")
	db := openFile(t, path)
	if _, _, err := db.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, path
}

func addTemplate(t testing.TB, db *DB) *magnum.ClusterTemplate {
	t.Helper()
	template := &magnum.ClusterTemplate{Name: "t", ProjectID: "p"}
	if err := db.CreateTemplate(t.Context(), template); err != nil {
		t.Fatal(err)
	}
	return template
}

func newCluster(template *magnum.ClusterTemplate, name string) *magnum.Cluster {
	return &magnum.Cluster{Name: name, ProjectID: "p", UserID: "u", ClusterTemplateID: template.UUID, Status: magnum.CreateInProgress,
		Labels: magnum.Labels{"kube_tag": "v1.18.2", "a": "b"}, HealthReason: map[string]string{"api": "ok"}, CreateTimeout: 60,
		Driver: magnum.DriverRef{Name: "d", Version: "1.0.0"},
		NodeGroups: []magnum.NodeGroup{
			{Name: magnum.DefaultMaster, Role: magnum.RoleMaster, IsDefault: true, NodeCount: 1, NodeAddresses: []string{"10.0.0.1", "10.0.0.2"}},
			{Name: magnum.DefaultWorker, Role: magnum.RoleWorker, IsDefault: true, NodeCount: 2, Labels: magnum.Labels{"kube_tag": "v1.18.2"}},
		}}
}

// TestUpstreamTables holds the columns against upstream's models, release Zed,
// with the template's driver and the node groups' labels and taints of later
// ones.
func TestUpstreamTables(t *testing.T) {
	db, _ := openNew(t)
	const common = "created_at updated_at id "
	for table, want := range map[string]string{
		"cluster": common + "project_id user_id uuid name cluster_template_id keypair docker_volume_size labels master_flavor_id flavor_id " +
			"stack_id api_address status status_reason health_status health_status_reason create_timeout discovery_url coe_version " +
			"container_version ca_cert_ref magnum_cert_ref etcd_ca_cert_ref front_proxy_ca_cert_ref fixed_network fixed_subnet " +
			"floating_ip_enabled master_lb_enabled trust_id trustee_username trustee_user_id trustee_password",
		"cluster_template": common + "uuid project_id user_id name image_id flavor_id master_flavor_id keypair_id external_network_id " +
			"fixed_network fixed_subnet network_driver volume_driver dns_nameserver apiserver_port docker_volume_size " +
			"docker_storage_driver cluster_distro coe http_proxy https_proxy no_proxy registry_enabled labels tls_disabled public " +
			"server_type insecure_registry master_lb_enabled floating_ip_enabled hidden tags driver",
		"nodegroup": common + "uuid name cluster_id project_id docker_volume_size labels flavor_id image_id node_addresses node_count role " +
			"max_node_count min_node_count is_default stack_id status status_reason version node_labels node_taints",
		"quotas":         common + "project_id resource hard_limit",
		"x509keypair":    common + "uuid certificate private_key private_key_passphrase intermediates project_id user_id",
		"magnum_service": common + "host binary disabled disabled_reason last_seen_up forced_down report_count",
		"federation":     common + "project_id uuid name hostcluster_id member_ids status status_reason properties",
	} {
		var got []string
		if err := db.read.NewRaw("SELECT name FROM pragma_table_info(?) ORDER BY cid", table).Scan(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	// Rows here and columns there are the same: none is forgotten in a SELECT.
	for table, columns := range map[string][]string{"cluster": db.columns.cluster, "cluster_template": db.columns.template, "nodegroup": db.columns.nodegroup} {
		var got []string
		if err := db.read.NewRaw("SELECT name FROM pragma_table_info(?) ORDER BY cid", table).Scan(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, columns); diff != "" {
			t.Errorf("%s (-table +row):\n%s", table, diff)
		}
	}
}

// TestUpstreamFormats looks at rows as upstream would.
func TestUpstreamFormats(t *testing.T) {
	db, _ := openNew(t)
	template := addTemplate(t, db)
	c := newCluster(template, "c")
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ table, column, want string }{
		{"cluster", "labels", `'{"a": "b", "kube_tag": "v1.18.2"}'`},
		{"cluster", "health_status_reason", `'{"api": "ok"}'`},
		{"cluster", "created_at", `'2026-03-04 05:06:07.000000'`},
		{"cluster", "updated_at", `NULL`},
		{"cluster", "keypair", `NULL`},
		{"cluster", "docker_volume_size", `NULL`},
		{"cluster", "create_timeout", `60`},
		{"cluster", "floating_ip_enabled", `0`},
		{"cluster", "health_status", `NULL`},
		{"cluster", "trustee_password", `NULL`},
		{"nodegroup", "node_addresses", `'["10.0.0.1", "10.0.0.2"]'`},
		{"nodegroup", "max_node_count", `NULL`},
		{"nodegroup", "min_node_count", `0`},
		{"nodegroup", "is_default", `1`},
		{"nodegroup", "labels", `'{}'`},
		{"cluster_template", "labels", `'{}'`},
		{"cluster_template", "tags", `NULL`},
		{"cluster_template", "apiserver_port", `NULL`},
	} {
		var got string
		if err := db.read.NewRaw("SELECT quote("+tc.column+") FROM "+tc.table+" ORDER BY id LIMIT 1").Scan(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		if got != tc.want {
			t.Errorf("%s.%s is %s, want %s", tc.table, tc.column, got, tc.want)
		}
	}
	// And what upstream leaves null is read as unset.
	if _, err := db.write.NewRaw("UPDATE cluster SET labels = NULL, health_status_reason = NULL, create_timeout = NULL, " +
		"floating_ip_enabled = NULL, name = NULL, updated_at = '2026-03-04 05:06:08.987654'").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := db.Cluster(t.Context(), Scope{All: true}, c.UUID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Labels != nil || got.HealthReason != nil || got.CreateTimeout != 0 || got.Name != "" ||
		!got.UpdatedAt.Equal(time.Date(2026, 3, 4, 5, 6, 8, 0, time.UTC)) {
		t.Errorf("read as %+v", got)
	}
}

func TestQuotaRow(t *testing.T) {
	db, _ := openNew(t)
	template := addTemplate(t, db)
	for _, row := range []string{"('p', 'Cluster', 1)", "('p', 'Other', 9)", "('q', 'Cluster', 9)"} {
		if _, err := db.write.NewRaw("INSERT INTO quotas (project_id, resource, hard_limit) VALUES " + row).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	add := func(name string) error {
		return db.AcceptCreate(t.Context(), newCluster(template, name), &magnum.Operation{Kind: magnum.OpCreate}, 20)
	}
	if err := add("a"); err != nil {
		t.Fatal(err)
	}
	const want = "Resource limit exceeded: You have reached the maximum clusters per project, 1. You may delete a cluster to make room for a new one."
	if err := add("b"); magnum.KindOf(err) != magnum.Forbidden || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAdoptedClusterWithoutDriver(t *testing.T) {
	db, _ := openNew(t)
	c := newCluster(addTemplate(t, db), "c")
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"cluster_driver", "operation", "nodegroup"} {
		if _, err := db.write.NewRaw("DELETE FROM " + table).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		err := db.Accept(t.Context(), c.UUID, nil, func(c *magnum.Cluster) error {
			c.Driver.Name, c.DockerVolumeSize = "adopted", i+1
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Cluster(t.Context(), Scope{All: true}, c.UUID)
	if err != nil || got.Driver.Name != "adopted" || got.DockerVolumeSize != 2 || len(got.NodeGroups) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	db, _ := openNew(t)
	c := newCluster(addTemplate(t, db), "c")
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Fatal(err)
	}
	err := db.Accept(t.Context(), c.UUID, nil, func(change *magnum.Cluster) error {
		change.Name = "changed"
		// Inside the writer's transaction.
		got, err := db.Cluster(t.Context(), Scope{All: true}, c.UUID)
		if err != nil || got.Name != "c" {
			t.Errorf("one: %v, %v", got, err)
		}
		all, err := db.Clusters(t.Context(), Scope{All: true}, Page{})
		if err != nil || len(all) != 1 || all[0].Name != "c" {
			t.Errorf("list: %v, %v", all, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFirstReadersAtOnce: many more than there are connections, before any
// statement is prepared.
func TestFirstReadersAtOnce(t *testing.T) {
	db, _ := openNew(t)
	c := newCluster(addTemplate(t, db), "c")
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if got, err := db.Cluster(ctx, Scope{ProjectID: "p"}, "c"); err != nil || len(got.NodeGroups) != 2 {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	group.Wait()
}

func wantUnavailable(t *testing.T, err error, reason string) {
	t.Helper()
	var known *magnum.Error
	if !errors.As(err, &known) || known.Kind != magnum.Unavailable || known.Message != unavailable || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v, want %s", err, reason)
	}
}

func TestLockedByAnotherProcess(t *testing.T) {
	db, path := openNew(t)
	template := addTemplate(t, db)
	other := openFile(t, path)
	tx, err := other.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(template, "c")
	wantUnavailable(t, db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9), "create cluster "+c.UUID+": another process keeps the database locked")
	if _, err := db.Template(t.Context(), Scope{All: true}, "t"); err != nil {
		t.Errorf("reading waits too: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.AcceptCreate(t.Context(), c, &magnum.Operation{Kind: magnum.OpCreate}, 9); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestDiskFull(t *testing.T) {
	db, _ := openNew(t)
	template := addTemplate(t, db)
	var pages int
	if err := db.write.NewRaw("PRAGMA page_count").Scan(t.Context(), &pages); err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), "PRAGMA max_page_count = ?", pages+8); err != nil {
		t.Fatal(err)
	}
	written := 0
	var err error
	for range 10000 {
		if err = db.AcceptCreate(t.Context(), newCluster(template, "c"), &magnum.Operation{Kind: magnum.OpCreate}, 1<<30); err != nil {
			break
		}
		written++
	}
	wantUnavailable(t, err, "the disk is full")
	all, err := db.Clusters(t.Context(), Scope{All: true}, Page{})
	if err != nil {
		t.Fatal(err)
	}
	ops, err := db.read.NewSelect().TableExpr("operation").Count(t.Context())
	if err != nil || len(all) != written || ops != int64(written) || written == 0 {
		t.Errorf("%d accepted, %d clusters, %d operations, %v", written, len(all), ops, err)
	}
	for _, c := range all {
		if len(c.NodeGroups) != 2 || c.Driver.Name != "d" {
			t.Errorf("half a cluster: %+v", c)
		}
	}
}

func TestClosed(t *testing.T) {
	db, _ := openNew(t)
	if _, err := db.Template(t.Context(), Scope{All: true}, "x"); magnum.KindOf(err) != magnum.NotFound {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.Template(t.Context(), Scope{All: true}, "x")
	wantUnavailable(t, err, "the database is closed")
	_, err = db.Clusters(t.Context(), Scope{All: true}, Page{})
	wantUnavailable(t, err, "the database is closed")
	wantUnavailable(t, db.Heartbeat(t.Context(), "h", "b"), "the database is closed")
}

func TestCancelled(t *testing.T) {
	db, _ := openNew(t)
	template := addTemplate(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.AcceptCreate(ctx, newCluster(template, "c"), &magnum.Operation{}, 9); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := db.Cluster(ctx, Scope{All: true}, "c"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is a text\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Connection: "sqlite:///" + path})
	wantUnavailable(t, err, "damaged or not a database")
	if _, err := Open(t.Context(), Config{Connection: "sqlite:////no/such/folder/m.sqlite"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	db, path := openNew(t)
	addTemplate(t, db)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%q has mode %s", suffix, info.Mode())
		}
	}
}

func TestPragmas(t *testing.T) {
	db, _ := openNew(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "50", "synchronous": "2"} {
		var got string
		if err := db.write.NewRaw("PRAGMA "+pragma).Scan(t.Context(), &got); err != nil || got != want {
			t.Errorf("writer's %s is %s, %v", pragma, got, err)
		}
	}
	if _, err := db.read.ExecContext(t.Context(), "DELETE FROM cluster"); err == nil {
		t.Error("a reading connection writes")
	}
}

func TestClaimingScansOnlyWhatIsActive(t *testing.T) {
	db, _ := openNew(t)
	rows, err := db.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN SELECT o.id FROM operation AS o WHERE "+claimable, 1, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	plan := ""
	for rows.Next() {
		var id, parent, unused int
		var detail sql.NullString
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan += detail.String + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plan, "SCAN") || !strings.Contains(plan, "active_key>?") {
		t.Errorf("plan:\n%s", plan)
	}
}
