package devcloud

import (
	"net/http"
	"testing"
)

const deploying = hotVersion + `
resources:
  s: {type: OS::Nova::Server, properties: {flavor: f, image: i, user_data_format: SOFTWARE_CONFIG}}
  c: {type: OS::Heat::SoftwareConfig, properties: {group: script, config: "echo hi", outputs: [{name: res}]}}
  d: {type: OS::Heat::SoftwareDeployment, properties: {config: {get_resource: c}, server: {get_resource: s}, signal_transport: HEAT_SIGNAL}}
outputs:
  code: {value: {get_attr: [d, deploy_status_code]}}
  res: {value: {get_attr: [d, res]}}
  out: {value: {get_attr: [d, deploy_stdout]}}
`

func TestHeatDeployment(t *testing.T) {
	rig := newHeatRig(t, Config{})
	if out := outputsOf(rig.want(rig.create("alone", deploying, nil, nil), "CREATE_COMPLETE")); out["code"] != 0.0 {
		t.Errorf("a deployment that nobody bends reports %v", out)
	}
	rig.cloud.AddStackFault(StackFault{Name: "d", Silent: true})
	wait := func(name string) string {
		path := rig.create(name, deploying, nil, nil)
		eventually(t, func() bool {
			for _, s := range rig.cloud.Stacks() {
				for _, r := range s.Resources {
					if s.Name == name && r.Path == "d" && r.Status == "CREATE_IN_PROGRESS" {
						return true
					}
				}
			}
			return false
		})
		return path
	}
	good := wait("good")
	if status, _, _ := rig.call("POST", good+"/resources/d/signal", object{"deploy_status_code": 0, "deploy_stdout": "done", "res": "R"}); status != http.StatusOK {
		t.Fatal(status)
	}
	if out := outputsOf(rig.want(good, "CREATE_COMPLETE")); out["res"] != "R" || out["out"] != "done" {
		t.Errorf("outputs %v", out)
	}
	bad := wait("bad")
	rig.call("POST", bad+"/resources/d/signal", object{"deploy_status_code": 3})
	if stack := rig.want(bad, "CREATE_FAILED"); stack["stack_status_reason"] != "Resource CREATE failed: Error: resources.d: Deployment to server failed: deploy_status_code : Deployment exited with non-zero status code: 3" {
		t.Error(stack["stack_status_reason"])
	}
}

// TestHeatBootCallsItsOwnStack: a server calls the handles of its own stack
// even if its user data does not name them.
func TestHeatBootCallsItsOwnStack(t *testing.T) {
	rig := newHeatRig(t, Config{})
	rig.want(rig.create("own", hotVersion+`
resources:
  h: {type: OS::Heat::WaitConditionHandle}
  w: {type: OS::Heat::WaitCondition, properties: {handle: {get_resource: h}, timeout: 600}}
  s: {type: OS::Nova::Server, depends_on: h, properties: {flavor: f, image: i}}
`, nil, nil), "CREATE_COMPLETE")
}
