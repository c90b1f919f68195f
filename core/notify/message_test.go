package notify

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/magnum"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// steady is an encoder whose times and ids are known.
func steady() encoder {
	n := 0
	return encoder{
		publisher: "container-infra.host-1",
		now:       func() time.Time { return time.Date(2026, 3, 1, 13, 0, 0, 123456789, time.FixedZone("", 3600)) },
		newID:     func() string { n++; return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) },
	}
}

// TestMessage compares with messages whose form was taken from oslo.messaging
// and pycadf: members, their order, times, and what is null.
func TestMessage(t *testing.T) {
	created := &magnum.Cluster{
		UUID: "5d12f6fd-a196-4bf0-ae4c-1f639a523a52", Name: "c<1>", ProjectID: "p1", UserID: "u1", ClusterTemplateID: "t1",
		Status: magnum.CreateInProgress, CreateTimeout: 60, TrustID: "secret-trust", TrusteePassword: "secret-password",
	}
	failed := *created
	failed.Status, failed.StatusReason, failed.HealthStatus = magnum.UpdateFailed, "no quota", magnum.Unhealthy
	failed.CreatedAt, failed.UpdatedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	failed.Keypair, failed.DockerVolumeSize, failed.Labels, failed.StackID = "key", 5, magnum.Labels{"kube_tag": "v1.30"}, "s1"
	failed.FlavorID, failed.MasterFlavorID, failed.APIAddress, failed.DiscoveryURL = "f", "m", "https://192.0.2.1:6443", "https://192.0.2.9/x"
	failed.NodeGroups = []magnum.NodeGroup{
		{Name: magnum.DefaultMaster, Role: magnum.RoleMaster, NodeCount: 1, NodeAddresses: []string{"192.0.2.1"}},
		{Name: magnum.DefaultWorker, Role: magnum.RoleWorker, NodeCount: 2, NodeAddresses: []string{"192.0.2.2", "192.0.2.3"}},
	}
	op := &magnum.Operation{
		Kind: magnum.OpCreate, RequestID: "req-1", SealedToken: []byte("secret-token"),
		Initiator: magnum.Initiator{UserID: "u1", UserName: "demo", ProjectID: "p1", Roles: []string{"member"}, DomainID: "default"},
	}
	for file, e := range map[string]*magnum.Event{
		"create-pending": magnum.Accepted(op, created),
		"update-failure": magnum.Ended(&magnum.Operation{Kind: magnum.OpResize}, &failed),
	} {
		m, err := steady().message(e)
		if err != nil {
			t.Fatal(err)
		}
		sent, err := envelope(m.Body)
		if err != nil {
			t.Fatal(err)
		}
		var outer map[string]string
		if err := json.Unmarshal(sent, &outer); err != nil || outer["oslo.version"] != "2.0" || outer["oslo.message"] != m.Body || len(outer) != 2 {
			t.Errorf("%s: envelope %s, %v", file, sent, err)
		}
		var inner json.RawMessage = []byte(m.Body)
		got, err := json.MarshalIndent(inner, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + file + ".json"
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}
