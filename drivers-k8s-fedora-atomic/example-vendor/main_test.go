package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

func request(intent driver.Intent, labels map[string]string) driver.RenderRequest {
	r := driver.RenderRequest{
		Intent:   intent,
		Template: driver.ClusterTemplate{ImageID: "fedora-atomic", ExternalNetworkID: "public", NetworkDriver: "flannel"},
		Cluster:  driver.Cluster{UUID: "5d12f6fd-a196-4bf0-ae4c-1f639a523a52", Name: "first", FloatingIP: true, TrusteeUserID: "trustee", Labels: labels},
		NodeGroups: []driver.NodeGroup{
			{Name: "default-master", Role: driver.RoleMaster, IsDefault: true, NodeCount: 1, FlavorID: "small"},
			{Name: "default-worker", Role: "worker", IsDefault: true, NodeCount: 2, FlavorID: "large"},
			{Name: "fast", Role: "worker", NodeCount: 2, FlavorID: "large", Labels: map[string]string{"instance_store_type": "nvme"}},
		},
		Endpoints: driver.Endpoints{
			AuthURL: "https://192.0.2.3/v3", MagnumURL: "https://192.0.2.4/v1", ExternalNetworkUUID: "public", AffinityPolicy: "soft-anti-affinity",
		},
		ClusterOutputs: map[string]driver.RawJSON{
			"network": driver.RawJSON(`"n"`), "subnet": driver.RawJSON(`"s"`), "minion_security_groups": driver.RawJSON(`["g"]`),
			"address_pairs": driver.RawJSON(`[]`), "api_private_address": driver.RawJSON(`"10.0.0.5"`),
		},
	}
	if intent == driver.IntentCreateNodeGroup {
		r.NodeGroup = "fast"
	}
	return r
}

func render(t *testing.T, d *template.Definition, r driver.RenderRequest) driver.RenderResponse {
	t.Helper()
	out, err := d.Render(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStores(t *testing.T) {
	labels := map[string]string{"instance_store_type": "ssd", "image_store_uuid": "4e4e"}
	tests := map[string]struct {
		request driver.RenderRequest
		want    string
	}{
		"none":       {request(driver.IntentCreate, nil), `{}`},
		"cluster":    {request(driver.IntentCreate, labels), `{"image_store_uuid":"4e4e","instance_store_type":"ssd"}`},
		"node group": {request(driver.IntentCreateNodeGroup, labels), `{"image_store_uuid":"4e4e","instance_store_type":"nvme"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, err := range definition().Check(tt.request) {
				t.Error(err)
			}
			got, ours := render(t, definition(), tt.request), render(t, atomic.Definition(), tt.request)
			if value := got.Parameters[atomic.WorkerMetadata].Value; value != tt.want {
				t.Errorf("metadata %s, want %s", value, tt.want)
			}
			delete(got.Parameters, atomic.WorkerMetadata)
			delete(ours.Parameters, atomic.WorkerMetadata)
			if d := cmp.Diff(ours, got); d != "" {
				t.Errorf("more than the metadata differs from the driver it starts from:\n%s", d)
			}
		})
	}
}

func TestWrongStore(t *testing.T) {
	r := request(driver.IntentCreate, map[string]string{"instance_store_uuid": "a b"})
	out, err := definition().Validate(t.Context(), driver.ValidateRequest{Intent: r.Intent, Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Violations) != 1 || out.Violations[0].Field != "labels/instance_store_uuid" {
		t.Errorf("got %+v", out.Violations)
	}
}
