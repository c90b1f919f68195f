package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// registerMore serves what the handshake does not name.
func registerMore(server *grpc.Server) {
	pb.RegisterLifecycleServer(server, lifecycle{})
}

type lifecycle struct {
	pb.UnimplementedLifecycleServer
}

func (lifecycle) Cancel(context.Context, *pb.CancelRequest) (*pb.CancelResponse, error) {
	return &pb.CancelResponse{}, nil
}

// wire breaks one rule between the driver and the network.
type wire struct {
	rule  string
	alone sync.Mutex
	// continued gets SIGCONT.
	continued <-chan os.Signal

	mu   sync.Mutex
	sent map[string]int // how often a stack has been sent, by intent and cluster
}

// outside sees calls as the network does.
func (w *wire) outside(ctx context.Context, in any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if _, ok := in.(*pb.DrainRequest); ok && w.rule == "DRV-100" {
		return &pb.DrainResponse{}, nil // and goes on
	}
	if r, ok := in.(*pb.MapOutputsRequest); ok && w.rule == "DRV-091" && len(r.GetOutputs()["conform"]) > 4<<20 {
		return nil, status.Error(codes.ResourceExhausted, "received message larger than max")
	}
	out, err := next(ctx, in)
	if err != nil {
		if w.rule == "DRV-080" && isRender(in) && status.Code(err) != codes.Unavailable { // which is Drain's
			err = mismatched(err)
		}
		return nil, err
	}
	w.after(in, out)
	return out, nil
}

// inside sees calls that were admitted; its errors are the driver's.
func (w *wire) inside(ctx context.Context, in any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := w.before(ctx, in); err != nil {
		return nil, err
	}
	if w.rule == "DRV-093" && isRender(in) {
		if !w.alone.TryLock() {
			return nil, driver.Errorf(driver.ClassConflict, "busy")
		}
		defer w.alone.Unlock()
		<-time.After(5 * time.Millisecond)
	}
	return next(ctx, in)
}

func isRender(in any) bool {
	_, ok := in.(*pb.RenderRequest)
	return ok
}

func (w *wire) before(ctx context.Context, in any) error {
	bug := driver.Errorf(driver.ClassBug, "as told")
	switch r := in.(type) {
	case *pb.HandshakeRequest:
		if w.rule == "DRV-007" && r.GetProtocolMinor() > driver.ProtocolMinor {
			return driver.Errorf(driver.ClassUnsupported, "the core is too new")
		}
	case *pb.DescribeRequest:
		if w.rule == "DRV-011" {
			<-time.After(150 * time.Millisecond)
		}
	case *pb.ConfigureRequest:
		if w.rule == "DRV-020" {
			return bug
		}
	case *pb.ProbeRequest:
		if w.rule == "DRV-104" {
			// The signal may be noticed later than the call that follows it.
			select {
			case <-w.continued:
				os.Exit(5)
			case <-time.After(time.Second):
			}
		}
	case *pb.ValidateRequest:
		if w.rule == "DRV-081" && r.GetCluster() == nil {
			return bug
		}
	case *pb.MapOutputsRequest:
		if w.rule == "DRV-050" && len(r.GetOutputs()) == 0 && r.GetCluster() != nil {
			return bug
		}
	case *pb.RenderRequest:
		return w.beforeRender(ctx, r)
	}
	return nil
}

func (w *wire) beforeRender(ctx context.Context, r *pb.RenderRequest) error {
	switch w.rule {
	case "DRV-032":
		if r.GetIntent() == string(driver.IntentUpgrade) {
			return driver.Errorf(driver.ClassUnsupported, "not today")
		}
	case "DRV-033":
		// Rendered as if it were a creation.
		if r.GetIntent() == string(driver.IntentRotateCA) {
			r.Intent = string(driver.IntentCreate)
		}
	case "DRV-034":
		if strings.HasPrefix(r.GetIntent(), "conform-") {
			r.Intent = string(driver.IntentCreate)
		}
	case "DRV-035":
		// The error is a proper one, and the wrong one.
		if r.GetNodeGroup() == "conform-nowhere" {
			return driver.Errorf(driver.ClassUnavailable, "the group cannot be found now")
		}
	case "DRV-043":
		if _, ok := r.GetCluster().GetLabels()["conform_unheard_of"]; ok {
			return driver.Errorf(driver.ClassInvalidInput, "what is this")
		}
	case "DRV-082":
		if len(r.GetCluster().GetName()) > 4096 {
			panic("too long")
		}
	case "DRV-094":
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < time.Second {
			select {} // whoever called is long gone
		}
	case "DRV-102":
		// Far longer than the callers need for the next call.
		<-time.After(60 * time.Millisecond)
	}
	return nil
}

func (w *wire) after(in, out any) {
	switch r := out.(type) {
	case *pb.HandshakeResponse:
		if w.rule == "DRV-006" {
			r.ProtocolMinor = -1
		}
	case *pb.DescribeResponse:
		if w.rule == "DRV-010" {
			r.Description.DisplayName = "Another"
		}
	case *pb.ProbeResponse:
		if w.rule == "DRV-022" {
			r.Ready = false
		}
	case *pb.ValidateResponse:
		w.afterValidate(in.(*pb.ValidateRequest), r)
	case *pb.RenderResponse:
		w.afterRender(in.(*pb.RenderRequest), r)
	case *pb.MapOutputsResponse:
		if w.rule == "DRV-051" {
			r.NodeGroups = append(r.NodeGroups, &pb.NodeGroupPatch{Name: "somebody-elses"})
		}
	case *pb.PreDeleteResponse:
		if w.rule == "DRV-052" {
			for _, c := range r.GetCleanups() {
				c.DescriptionPattern = ".*"
			}
		}
	case *pb.SelectNodesResponse:
		if w.rule == "DRV-060" {
			r.Nodes = append(r.Nodes, &pb.Selected{HeatIndex: "99"})
		}
	case *pb.CheckHealthResponse:
		if w.rule == "DRV-065" {
			r.Status = "FINE"
		}
		if w.rule == "DRV-068" {
			r.Reasons["api"] = in.(*pb.CheckHealthRequest).GetAccess().GetClientKey()
		}
	}
}

// mismatched has the details of an error and not the code that goes with them.
func mismatched(err error) error {
	p := status.Convert(err).Proto()
	p.Code = int32(codes.Unknown)
	return status.FromProto(p).Err()
}

func (w *wire) afterValidate(in *pb.ValidateRequest, r *pb.ValidateResponse) {
	switch w.rule {
	case "DRV-041":
		if in.GetCluster().GetLabels()["size"] == "1" {
			r.Violations = append(r.Violations, &pb.Violation{Field: "labels/size", Message: "not one"})
		}
	case "DRV-042", "DRV-044":
		field := map[string]string{"DRV-042": "labels/size", "DRV-044": "network_driver"}[w.rule]
		kept := r.Violations[:0]
		for _, v := range r.GetViolations() {
			if v.GetField() != field {
				kept = append(kept, v)
			}
		}
		r.Violations = kept
	}
}

func (w *wire) afterRender(in *pb.RenderRequest, r *pb.RenderResponse) {
	value := func(s string) *pb.Parameter { return &pb.Parameter{Kind: &pb.Parameter_Value{Value: s}} }
	secret := func(s string) *pb.Parameter { return &pb.Parameter{Kind: &pb.Parameter_Secret{Secret: s}} }
	switch w.rule {
	case "DRV-030":
		// The first answer is always the same; DRV-031 and DRV-093 must see
		// nothing of it.
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent[in.GetIntent()+in.GetCluster().GetName()]++
		if n := w.sent[in.GetIntent()+in.GetCluster().GetName()]; n > 1 && in.GetCluster().GetName() == "conform" {
			r.Tags = []string{"call-" + strconv.Itoa(n)}
		}
	case "DRV-031":
		r.Tags = []string{"process-" + strconv.Itoa(os.Getpid())}
	case "DRV-036":
		r.Template = strings.Replace(r.GetTemplate(), "get_resource: network", "get_resource: nothing", 1)
	case "DRV-037":
		r.Parameters["surplus"] = value("x")
	case "DRV-038":
		r.Parameters["cluster_uuid"] = secret(string(driver.SecretCAKey))
	case "DRV-039":
		r.Parameters["trustee_password"] = secret("root-password")
	}
}
