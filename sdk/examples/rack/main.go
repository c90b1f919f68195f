// Command rack is an example of a driver without Heat: its clusters are made by
// a small HTTP service, such as a vendor might have (package service). It keeps
// nothing in its process: what it has to know of an operation is in the handle,
// which is the cluster, and the state, which is how many nodes are wanted.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/examples/rack/service"
	"github.com/go-magnum/magnum/sdk/serve"
)

// address is where the service is; tests set another with the linker.
var address = "http://127.0.0.1:9512"

// every is how often the service is asked while an operation goes on.
const every = 100 * time.Millisecond

func main() {
	r := rack{}
	serve.Main(serve.Plugin{Name: "example_rack", Version: "1.0.0", Driver: r, Lifecycle: r})
}

type rack struct{}

func (rack) Describe(context.Context, driver.DescribeRequest) (driver.DescribeResponse, error) {
	return driver.DescribeResponse{Description: driver.Description{
		DisplayName:    "Kubernetes in a rack, an example",
		ClusterTypes:   []driver.ClusterType{{ServerType: "vm", OS: "ubuntu", COE: "kubernetes"}},
		NetworkDrivers: []string{"flannel"},
		Capabilities:   []driver.Capability{driver.CapResize, driver.CapNodeGroups},
	}}, nil
}

// Begin asks for what the cluster should be. The service knows operations by
// their ids, so that asking again is harmless.
func (rack) Begin(ctx context.Context, req driver.BeginRequest) (driver.BeginResponse, error) {
	wanted := map[string]int{}
	for _, g := range req.NodeGroups {
		if req.Intent != driver.IntentDeleteNodeGroup || g.Name != req.NodeGroup {
			wanted[g.Name] = g.NodeCount
		}
	}
	method := http.MethodPut
	switch req.Intent {
	case driver.IntentDelete:
		method, wanted = http.MethodDelete, nil
	case driver.IntentCreate, driver.IntentUpdate, driver.IntentResize,
		driver.IntentCreateNodeGroup, driver.IntentUpdateNodeGroup, driver.IntentDeleteNodeGroup:
	default:
		return driver.BeginResponse{}, driver.Errorf(driver.ClassUnsupported, "driver example_rack cannot %s", req.Intent)
	}
	state, err := json.Marshal(service.Cluster{Operation: req.OperationID, Groups: wanted, CA: req.CACert})
	if err != nil {
		return driver.BeginResponse{}, err
	}
	_, err = ask(ctx, method, req.Cluster.UUID, state)
	return driver.BeginResponse{Handle: req.Cluster.UUID, State: state}, err
}

// Resume passes on a certificate that Watch has asked for. Apart from that it has
// nothing to do: whatever process there is can watch.
func (rack) Resume(ctx context.Context, req driver.ResumeRequest) (driver.ResumeResponse, error) {
	if req.Certificate != "" {
		if _, err := ask(ctx, http.MethodPut, req.Handle+"/certificate", []byte(req.Certificate)); err != nil {
			return driver.ResumeResponse{}, err
		}
	}
	return driver.ResumeResponse{Handle: req.Handle, State: req.State}, nil
}

// Watch tells how many nodes are up, until all are, or the cluster is gone, and
// asks for the certificate that the cluster's API waits for.
func (rack) Watch(ctx context.Context, req driver.WatchRequest, send func(driver.Event) error) error {
	var wanted service.Cluster
	if err := json.Unmarshal(req.State, &wanted); err != nil {
		return driver.Errorf(driver.ClassInvalidInput, "the state cannot be read: %v", err)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	up, asked := -1, false
	for seq := max(req.FromSeq, 1); ; {
		now, err := ask(ctx, http.MethodGet, req.Handle, nil)
		switch gone := driver.ClassOf(err) == driver.ClassNotFound; {
		case gone && wanted.Groups == nil:
			return send(driver.Event{Seq: seq, Done: true})
		case err != nil && !gone:
			return err
		case gone || now.Operation != wanted.Operation:
			return send(driver.Event{Seq: seq, Done: true, Failed: true, Message: "another operation took this one's place"})
		case now.Done:
			return send(last(seq, now))
		case now.Up != up:
			e := driver.Event{Seq: seq, Phase: "nodes", Message: fmt.Sprintf("%d nodes are up", now.Up), Percent: now.Percent}
			if err := send(e); err != nil {
				return err
			}
			up, seq = now.Up, seq+1
		case now.Request != "" && !asked:
			e := driver.Event{Seq: seq, Phase: "certificate", Message: "the API waits for its certificate", CertificateRequest: now.Request}
			if err := send(e); err != nil {
				return err
			}
			asked, seq = true, seq+1
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func last(seq int64, c service.Cluster) driver.Event {
	e := driver.Event{Seq: seq, Done: true, Failed: c.Cancelled, Cluster: driver.ClusterPatch{APIAddress: &c.API}}
	if c.Cancelled {
		e.Message = "the operation was cancelled"
	}
	for name, addresses := range c.Addresses {
		e.NodeGroups = append(e.NodeGroups, driver.NodeGroupPatch{Name: name, NodeAddresses: addresses})
	}
	return e
}

// Cancel works with the operation's id alone: whoever asks may never have heard
// what Begin answered.
func (rack) Cancel(ctx context.Context, req driver.CancelRequest) (driver.CancelResponse, error) {
	_, err := ask(ctx, http.MethodDelete, "operation/"+req.OperationID, nil)
	return driver.CancelResponse{Cancelled: err == nil}, err
}

// ask is one request; its errors have a class.
func ask(ctx context.Context, method, path string, body []byte) (c service.Cluster, err error) {
	req, err := http.NewRequestWithContext(ctx, method, address+"/"+path, bytes.NewReader(body))
	if err != nil {
		return c, driver.Errorf(driver.ClassInvalidInput, "the cluster's name makes no address: %v", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c, &driver.Error{Class: driver.ClassUnavailable, Blame: driver.BlameDownstream, UserMessage: "the rack does not answer", OperatorMessage: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted:
		return c, json.NewDecoder(resp.Body).Decode(&c)
	case http.StatusNotFound:
		return c, driver.Errorf(driver.ClassNotFound, "the rack does not know it")
	case http.StatusConflict:
		return c, driver.Errorf(driver.ClassConflict, "the rack is still at work on the cluster")
	case http.StatusBadRequest:
		return c, driver.Errorf(driver.ClassInvalidInput, "the rack does not take it")
	}
	return c, driver.Errorf(driver.ClassUnavailable, "the rack answers with %s", resp.Status)
}
