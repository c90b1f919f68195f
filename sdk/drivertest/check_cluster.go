package drivertest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

func (s *session) mapping() *pb.MapOutputsRequest {
	return &pb.MapOutputsRequest{Template: s.template(), Cluster: cluster(), NodeGroups: s.groups()}
}

func checkNoOutputs(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	if _, err = client.MapOutputs(ctx, s.mapping()); err != nil {
		return fmt.Errorf("of a stack without outputs: %s", said(err))
	}
	// Heat says null of an output that it cannot resolve yet.
	r := s.mapping()
	r.Outputs = map[string][]byte{}
	good, err := s.good(ctx)
	if err != nil {
		return err
	}
	for name := range outputsOf(good[0].response) {
		r.Outputs[name] = []byte("null")
	}
	if _, err = client.MapOutputs(ctx, r); err != nil {
		return fmt.Errorf("of a stack whose outputs are null: %s", said(err))
	}
	return nil
}

func checkPatches(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	good, err := s.good(ctx)
	if err != nil {
		return err
	}
	r := s.mapping()
	r.Outputs = outputsOf(good[0].response)
	r.Parameters = map[string]string{}
	for name, p := range good[0].response.GetParameters() {
		if p.GetSecret() == "" {
			r.Parameters[name] = p.GetValue()
		}
	}
	out, err := client.MapOutputs(ctx, r)
	if err != nil {
		// The outputs are made up: a driver may find that they are no addresses.
		return decent("made-up outputs", err)
	}
	for _, p := range out.GetNodeGroups() {
		if !slices.ContainsFunc(r.GetNodeGroups(), func(g *pb.NodeGroup) bool { return g.GetName() == p.GetName() }) {
			return fmt.Errorf("node group %q is patched, which the cluster does not have", p.GetName())
		}
	}
	return nil
}

func checkCleanups(ctx context.Context, s *session) error {
	client, err := s.templates(ctx)
	if err != nil {
		return err
	}
	out, err := client.PreDelete(ctx, &pb.PreDeleteRequest{Template: s.template(), Cluster: cluster()})
	if err != nil {
		return fmt.Errorf("refused: %s", said(err))
	}
	kinds := []driver.CleanupKind{driver.CleanupLoadBalancer, driver.CleanupFloatingIP}
	for _, c := range out.GetCleanups() {
		pattern := c.GetDescriptionPattern()
		switch _, err := regexp.Compile(pattern); {
		case !slices.Contains(kinds, driver.CleanupKind(c.GetKind())):
			return fmt.Errorf("%q is not a kind of resource that a core removes", c.GetKind())
		case err != nil:
			return fmt.Errorf("description pattern: %w", err)
		case !strings.Contains(pattern, clusterUUID):
			return fmt.Errorf("the pattern %q has not the cluster's uuid: it would match what others made", pattern)
		}
	}
	return nil
}

// canary is the client key in the suite's requests: a text that has no reason
// to be anywhere else.
const canary = "canary-3b6d1c0a77e94f5f"

// access is to a cluster that does not answer.
func (s *session) access() *pb.COEAccess {
	key := "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n"
	return &pb.COEAccess{Endpoint: "https://127.0.0.1:1", CaCert: "none", ClientCert: "none", ClientKey: key}
}

func (s *session) selection(count int64) *pb.SelectNodesRequest {
	r := &pb.SelectNodesRequest{
		Cluster: cluster(), Template: s.template(), NodeGroup: s.groups()[1], Count: count, Access: s.access(),
	}
	for _, i := range []string{"0", "1", "2"} {
		r.Nodes = append(r.Nodes, &pb.Node{Name: "conform-" + i, Address: "192.0.2.1" + i, HeatIndex: i, ServerId: "server-" + i})
	}
	return r
}

func checkSelection(ctx context.Context, s *session) error {
	conn, err := s.ask(ctx, driver.ServiceScaling)
	if err != nil {
		return err
	}
	for _, count := range []int64{0, 1, 2} {
		r := s.selection(count)
		out, err := pb.NewScalingClient(conn).SelectNodes(ctx, r)
		if err != nil {
			if err := decent(fmt.Sprintf("%d nodes of a cluster that does not answer", count), err); err != nil {
				return err
			}
			continue
		}
		if int64(len(out.GetNodes())) > count {
			return fmt.Errorf("%d nodes are named where %d should go", len(out.GetNodes()), count)
		}
		seen := map[string]bool{}
		for _, n := range out.GetNodes() {
			known := slices.ContainsFunc(r.GetNodes(), func(have *pb.Node) bool { return have.GetHeatIndex() == n.GetHeatIndex() })
			if !known || seen[n.GetHeatIndex()] {
				return fmt.Errorf("node %q is named twice, or is not one of the group's", n.GetHeatIndex())
			}
			seen[n.GetHeatIndex()] = true
		}
	}
	return nil
}

func checkHealth(ctx context.Context, s *session) error {
	conn, err := s.ask(ctx, driver.ServiceMonitoring)
	if err != nil {
		return err
	}
	out, err := pb.NewMonitoringClient(conn).CheckHealth(ctx, &pb.CheckHealthRequest{Cluster: cluster(), Template: s.template(), Access: s.access()})
	if err != nil {
		return fmt.Errorf("a cluster that does not answer is an error, not an answer: %s", said(err))
	}
	switch driver.HealthStatus(out.GetStatus()) {
	case driver.Unhealthy, driver.HealthUnknown:
		return nil
	}
	return fmt.Errorf("a cluster that does not answer is %q", out.GetStatus())
}

func checkCanary(ctx context.Context, s *session) error {
	if err := s.learn(ctx); err != nil {
		return err
	}
	if !s.has(driver.ServiceScaling) && !s.has(driver.ServiceMonitoring) {
		return skip("the driver gets no credentials: it has neither Scaling nor Monitoring")
	}
	p, end, err := s.fresh(ctx)
	if err != nil {
		return err
	}
	defer end()
	var answers []string
	note := func(answer fmt.Stringer, err error) {
		answers = append(answers, answer.String())
		if err != nil {
			answers = append(answers, fmt.Sprintf("%+v %+v", err, errors.Unwrap(err)), details(err))
		}
	}
	if s.has(driver.ServiceScaling) {
		out, err := pb.NewScalingClient(p.Conn()).SelectNodes(ctx, s.selection(1))
		note(out, err)
	}
	if s.has(driver.ServiceMonitoring) {
		out, err := pb.NewMonitoringClient(p.Conn()).CheckHealth(ctx, &pb.CheckHealthRequest{Cluster: cluster(), Template: s.template(), Access: s.access()})
		note(out, err)
	}
	if err := p.Kill(); err != nil {
		return err
	}
	_, words := p.Exit()
	switch {
	case strings.Contains(strings.Join(answers, "\n"), canary):
		return errors.New("the client key of a request is in an answer")
	case strings.Contains(words, canary):
		return errors.New("the client key of a request is in the log")
	}
	return nil
}
