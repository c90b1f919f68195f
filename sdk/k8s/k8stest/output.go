package k8stest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func (k Kit) mapOutputs(t *testing.T) {
	str := func(s string) *string { return &s }
	num := func(n int) *int { return &n }
	outputs := map[string]driver.RawJSON{
		"api_address":          driver.RawJSON(`"172.24.4.6"`),
		"kube_masters":         driver.RawJSON(`["172.24.4.6"]`),
		"kube_masters_private": driver.RawJSON(`["10.0.0.36"]`),
		"kube_minions":         driver.RawJSON(`["172.24.4.7", null]`),
		"kube_minions_private": driver.RawJSON(`["10.0.0.37", "10.0.0.38"]`),
	}
	parameters := map[string]string{"number_of_masters": "1", "number_of_minions": "2", "kube_tag": "v1.18.20"}
	tests := []struct {
		name     string
		floating bool
		outputs  map[string]driver.RawJSON
		params   map[string]string
		want     driver.MapOutputsResponse

		tlsDisabled bool
	}{
		{name: "without TLS", tlsDisabled: true, outputs: map[string]driver.RawJSON{"api_address": outputs["api_address"]}, want: driver.MapOutputsResponse{
			Cluster: driver.ClusterPatch{APIAddress: str("http://172.24.4.6:8080")},
		}},
		{name: "floating", floating: true, outputs: outputs, params: parameters, want: driver.MapOutputsResponse{
			Cluster: driver.ClusterPatch{APIAddress: str("https://172.24.4.6:6443"), COEVersion: str("v1.18.20")},
			NodeGroups: []driver.NodeGroupPatch{
				{Name: "default-master", NodeAddresses: []string{"172.24.4.6"}, NodeCount: num(1)},
				{Name: "default-worker", NodeAddresses: []string{"172.24.4.7"}, NodeCount: num(2)},
			},
		}},
		{name: "private", outputs: outputs, params: parameters, want: driver.MapOutputsResponse{
			Cluster: driver.ClusterPatch{APIAddress: str("https://172.24.4.6:6443"), COEVersion: str("v1.18.20")},
			NodeGroups: []driver.NodeGroupPatch{
				{Name: "default-master", NodeAddresses: []string{"10.0.0.36"}, NodeCount: num(1)},
				{Name: "default-worker", NodeAddresses: []string{"10.0.0.37", "10.0.0.38"}, NodeCount: num(2)},
			},
		}},
		{name: "no workers", floating: true, outputs: map[string]driver.RawJSON{"kube_minions": driver.RawJSON(`[]`), "api_address": driver.RawJSON(`null`)},
			want: driver.MapOutputsResponse{NodeGroups: []driver.NodeGroupPatch{{Name: "default-worker", NodeAddresses: []string{}}}}},
		{name: "nothing yet", floating: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := k.Request()
			r.Cluster.FloatingIP, r.Template.TLSDisabled = tt.floating, tt.tlsDisabled
			got, err := k.Definition().MapOutputs(context.Background(), driver.MapOutputsRequest{
				Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, Outputs: tt.outputs, Parameters: tt.params,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func (k Kit) preDelete(t *testing.T) {
	out, err := k.Definition().PreDelete(context.Background(), driver.PreDeleteRequest{Cluster: k.Request().Cluster})
	if err != nil {
		t.Fatal(err)
	}
	want := []driver.Cleanup{
		{Kind: driver.CleanupLoadBalancer, DescriptionPattern: "Kubernetes .+ from cluster " + templatetest.ClusterUUID, Cascade: true},
		{Kind: driver.CleanupFloatingIP, DescriptionPattern: "Floating IP for Kubernetes .+ from cluster " + templatetest.ClusterUUID},
	}
	if diff := cmp.Diff(want, out.Cleanups); diff != "" {
		t.Error(diff)
	}
}

// healthOfPrivateClusters: what cannot be reached is not asked.
func (k Kit) healthOfPrivateClusters(t *testing.T) {
	for _, tt := range []struct {
		name         string
		floating, lb bool
		label        string
		want         driver.HealthStatus
	}{
		{"private", false, false, "", driver.HealthUnknown},
		{"private load balancer", true, true, "false", driver.HealthUnknown},
		{"public load balancer", false, true, "true", driver.Unhealthy},
		{"public", true, false, "", driver.Unhealthy},
	} {
		req := driver.CheckHealthRequest{Cluster: k.Request().Cluster}
		req.Cluster.FloatingIP, req.Cluster.MasterLB = tt.floating, tt.lb
		req.Cluster.Labels = templatetest.Labels("master_lb_floating_ip_enabled", tt.label)
		got, err := k8s.MonitoringOf(k.Definition()).CheckHealth(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
	}
}
