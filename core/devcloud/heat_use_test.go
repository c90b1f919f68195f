package devcloud

import (
	"net/http"
	"strings"
	"testing"
)

// What a port of another stack needs stays until that stack is gone, with
// Neutron's words for it.
func TestHeatKeepsWhatIsInUse(t *testing.T) {
	const (
		network = "  n: {type: OS::Neutron::Net}\n"
		subnet  = "  s: {type: OS::Neutron::Subnet, properties: {network: {get_resource: n}, cidr: 10.9.0.0/24}}\n"
		router  = "  r: {type: OS::Neutron::Router}\n  i: {type: OS::Neutron::RouterInterface, properties: {router: {get_resource: r}, subnet: {get_resource: s}}}\n"
		group   = "  g: {type: OS::Neutron::SecurityGroup}\n"
		user    = `
parameters: {net: {type: string}, group: {type: json, default: []}}
resources:
  p: {type: OS::Neutron::Port, properties: {network: {get_param: net}, security_groups: {get_param: group}}}
`
		floating = "  f: {type: OS::Neutron::FloatingIP, properties: {floating_network: public, port_id: {get_resource: p}}}\n"
	)
	for _, tt := range []struct {
		name, owner, user string
		group             string // output that the user's port has as its group
		want              string
	}{
		{"subnet", network + subnet, user, "", "Resource DELETE failed: Conflict: resources.s: Unable to complete operation on subnet $s: One or more ports have an IP allocation from this subnet."},
		{"security group", group, user, "g", "Resource DELETE failed: Conflict: resources.g: Security Group $g in use."},
		{"interface", network + subnet + router, user + floating, "",
			"Resource DELETE failed: Conflict: resources.i: Router interface for subnet $s on router $r cannot be deleted, as it is required by one or more floating IPs."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rig := newHeatRig(t, Config{})
			template := hotVersion + "resources:\n" + tt.owner + "outputs:\n"
			for _, name := range []string{"n", "s", "r", "g"} {
				if strings.Contains(tt.owner, "  "+name+": ") {
					template += "  " + name + ": {value: {get_resource: " + name + "}}\n"
				}
			}
			owner := rig.create("owner", template, nil, nil)
			made := outputsOf(rig.want(owner, "CREATE_COMPLETE"))
			params := map[string]any{"net": "demo-net"}
			if id, ok := made["n"]; ok {
				params["net"] = id
			}
			if tt.group != "" {
				params["group"] = []any{made[tt.group]}
			}
			using := rig.create("user", hotVersion+tt.user, nil, object{"parameters": params})
			rig.want(using, "CREATE_COMPLETE")

			rig.call(http.MethodDelete, owner, nil)
			got := rig.want(owner, "DELETE_FAILED")
			want := tt.want
			for name, id := range made {
				want = strings.ReplaceAll(want, "$"+name, id.(string))
			}
			if reason := got["stack_status_reason"]; reason != want {
				t.Errorf("%v\nwant %s", reason, want)
			}
			rig.call(http.MethodDelete, using, nil)
			rig.want(using, "DELETE_COMPLETE")
			rig.call(http.MethodDelete, owner, nil)
			rig.want(owner, "DELETE_COMPLETE")
		})
	}
}
