package devcloud

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-magnum/magnum/sdk/hot"
)

func seconds(v any) time.Duration {
	switch v := v.(type) {
	case int:
		return time.Duration(v) * time.Second
	case float64:
		return time.Duration(v * float64(time.Second))
	}
	return 0
}

// makeHandle makes what a server calls to say that it is ready, and the token
// it calls with.
func (h *heat) makeHandle(r *heatResource) error {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(h.config.rand, raw); err != nil {
		return err
	}
	r.physical = strings.ReplaceAll(r.physical, "-", "") // it is a user's id
	r.token = "gAAAAAB" + hex.EncodeToString(raw)
	r.metadata = map[string]any{}
	h.tokens[r.token] = r
	r.attrs["token"] = r.token
	r.attrs["endpoint"] = h.resourceURL(r) + "/signal"
	r.attrs["curl_cli"] = fmt.Sprintf("curl -i -X POST -H 'X-Auth-Token: %s' -H 'Content-Type: application/json' -H 'Accept: application/json' %s",
		r.token, r.attrs["endpoint"])
	r.attrs["signal"] = "null"
	return nil
}

func (h *heat) makeCondition(r *heatResource) error {
	r.physical = ""
	if h.handle(r) == nil {
		return fmt.Errorf("%s is not a valid wait condition handle.", textOr(r.props["handle"], "None"))
	}
	r.until = h.config.now().Add(seconds(r.props["timeout"]))
	return nil
}

// handle is the handle that a wait condition waits at. It is in the same stack.
func (h *heat) handle(r *heatResource) *heatResource {
	for _, other := range r.stack.resources {
		if other.token != "" && other.there() && other.physical == r.props["handle"] {
			return other
		}
	}
	return nil
}

// pollCondition looks whether a wait condition has what it waits for.
func (h *heat) pollCondition(r *heatResource) bool {
	handle := h.handle(r)
	if handle == nil {
		return false // its stack is being taken down
	}
	count := 1
	if n, ok := r.props["count"].(int); ok {
		count = n
	}
	var reasons []string
	for _, id := range sortedNames(handle.metadata) {
		m, _ := handle.metadata[id].(map[string]any)
		if m["status"] != "SUCCESS" {
			reasons = append(reasons, textOr(m["reason"], ""))
		}
	}
	now := h.config.now()
	switch {
	case len(reasons) > 0:
		h.failResource(r, r.action, &failure{class: "WaitConditionFailure", message: strings.Join(reasons, ";")})
	case len(handle.metadata) >= count:
		h.endResource(r)
	case !now.Before(r.until):
		h.failResource(r, r.action, &failure{class: "WaitConditionTimeout", message: fmt.Sprintf("%d of %d received", len(handle.metadata), count)})
	default:
		r.stack.at(r.until)
		return false
	}
	return true
}

// signalHandle notes one call. Its id defaults to the number of the call.
func (h *heat) signalHandle(r *heatResource, body map[string]any) {
	if r.metadata == nil {
		r.metadata = map[string]any{}
	}
	id := fmt.Sprint(len(r.metadata) + 1)
	if v, ok := body["id"]; ok && v != nil {
		id = hot.Text(hot.Normalize(v))
	}
	status := textOr(body["status"], "SUCCESS")
	r.metadata[id] = map[string]any{"status": status, "data": body["data"], "reason": textOr(body["reason"], "Signal "+id+" received")}
	h.record(r.stack, r.name, r.physical, "SIGNAL_COMPLETE", fmt.Sprintf("Signal: status:%s reason:%s", status, textOr(body["reason"], "Signal "+id+" received")), r.def.Type)
	h.touch(r.stack)
}

// boot does what a new server's boot scripts do at their end: it calls the
// handles whose token stands in its user data, in whatever stack they are, and
// those in its own stack.
func (h *heat) boot(r *heatResource) {
	if h.fault(r, actionCreate, true) != nil {
		return
	}
	data := h.text(textOr(r.props["user_data"], ""))
	h.report(r, data)
}

// report calls the handles that a script knows.
func (h *heat) report(r *heatResource, script string) {
	for _, handle := range h.handlesOf(r.stack.root) {
		if handle.stack == r.stack || handle.token != "" && strings.Contains(script, handle.token) {
			h.signalHandle(handle, map[string]any{"id": r.physical, "status": "SUCCESS", "data": ""})
		}
	}
}

func (h *heat) handlesOf(s *heatStack) []*heatResource {
	var out []*heatResource
	s.walk(hot.MaxNestedDepth+1, func(s *heatStack) {
		for _, r := range s.all() {
			if r.token != "" && r.there() {
				out = append(out, r)
			}
		}
	})
	return out
}

// makeDeployment deploys a configuration to servers.
func (h *heat) makeDeployment(r *heatResource) error {
	h.deploy(r)
	return nil
}

// deploy runs a configuration, as the agent on a server would: at once and
// without an error, unless a rule has it silent.
func (h *heat) deploy(r *heatResource) {
	r.until = h.config.now()
	if r.attrs == nil {
		r.attrs = map[string]any{}
	}
	h.deployed(r, map[string]any{})
	actions, listed := r.props["actions"].([]any)
	if listed {
		runs := false
		for _, a := range actions {
			runs = runs || a == r.action
		}
		if !runs {
			return
		}
	}
	if rule := h.fault(r, r.action, true); rule != nil {
		r.stalled = rule
		return
	}
	h.report(r, h.text(textOr(r.props["config"], ""))+hot.Text(r.props["input_values"]))
}

// deployed notes what a deployment reported.
func (h *heat) deployed(r *heatResource, body map[string]any) {
	one := map[string]any{"deploy_stdout": textOr(body["deploy_stdout"], ""), "deploy_stderr": textOr(body["deploy_stderr"], ""), "deploy_status_code": 0}
	if v, ok := body["deploy_status_code"]; ok {
		one["deploy_status_code"] = hot.Normalize(v)
	}
	for k, v := range body {
		if _, known := one[k]; !known {
			one[k] = v
		}
	}
	if r.kind == "OS::Heat::SoftwareDeploymentGroup" {
		all := map[string]map[string]any{"deploy_stdouts": {}, "deploy_stderrs": {}, "deploy_status_codes": {}}
		servers, _ := r.props["servers"].(map[string]any)
		for name := range servers {
			all["deploy_stdouts"][name], all["deploy_stderrs"][name], all["deploy_status_codes"][name] = one["deploy_stdout"], one["deploy_stderr"], one["deploy_status_code"]
		}
		for k, v := range all {
			r.attrs[k] = v
		}
		return
	}
	for k, v := range one {
		r.attrs[k] = v
	}
}

// signalDeployment ends a deployment that waits, well or badly.
func (h *heat) signalDeployment(r *heatResource, body map[string]any) {
	h.deployed(r, body)
	if r.status != inProgress {
		return
	}
	r.stalled = nil
	if code := hot.Text(hot.Normalize(body["deploy_status_code"])); code != "0" && code != "None" {
		h.failResource(r, r.action, &failure{class: "Error", message: "Deployment to server failed: deploy_status_code : Deployment exited with non-zero status code: " + code})
		h.touch(r.stack)
		return
	}
	h.touch(r.stack)
}
