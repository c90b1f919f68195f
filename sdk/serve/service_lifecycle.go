package serve

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

type lifecycleServer struct {
	pb.UnimplementedLifecycleServer
	impl driver.Lifecycle
}

func (s lifecycleServer) Begin(ctx context.Context, in *pb.BeginRequest) (*pb.BeginResponse, error) {
	out, err := s.impl.Begin(ctx, beginFromPB(in))
	if err != nil {
		return nil, err
	}
	return &pb.BeginResponse{Handle: out.Handle, State: out.State}, nil
}

func (s lifecycleServer) Watch(in *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	return s.impl.Watch(stream.Context(), driver.WatchRequest{
		OperationID: in.GetOperationId(),
		Handle:      in.GetHandle(),
		State:       in.GetState(),
		FromSeq:     in.GetFromSeq(),
	}, func(e driver.Event) error {
		return stream.Send(&pb.WatchResponse{Event: eventToPB(e)})
	})
}

func (s lifecycleServer) Cancel(ctx context.Context, in *pb.CancelRequest) (*pb.CancelResponse, error) {
	out, err := s.impl.Cancel(ctx, driver.CancelRequest{
		OperationID: in.GetOperationId(), Handle: in.GetHandle(), State: in.GetState(),
	})
	if err != nil {
		return nil, err
	}
	return &pb.CancelResponse{Cancelled: out.Cancelled}, nil
}

func (s lifecycleServer) Resume(ctx context.Context, in *pb.ResumeRequest) (*pb.ResumeResponse, error) {
	out, err := s.impl.Resume(ctx, driver.ResumeRequest{
		Begin: beginFromPB(in.GetBegin()), Handle: in.GetHandle(), State: in.GetState(), Certificate: in.GetCertificate(),
	})
	if err != nil {
		return nil, err
	}
	return &pb.ResumeResponse{Handle: out.Handle, State: out.State}, nil
}

type lifecycleClient struct{ rpc pb.LifecycleClient }

func (c lifecycleClient) Begin(ctx context.Context, req driver.BeginRequest) (driver.BeginResponse, error) {
	out, err := c.rpc.Begin(ctx, beginToPB(req))
	if err != nil {
		return driver.BeginResponse{}, asError(err)
	}
	if err := checkState(out.GetState()); err != nil {
		return driver.BeginResponse{}, err
	}
	return driver.BeginResponse{Handle: out.GetHandle(), State: out.GetState()}, nil
}

func (c lifecycleClient) Watch(ctx context.Context, req driver.WatchRequest, send func(driver.Event) error) error {
	// The stream ends with its context: without this, a send that fails
	// would leave it open.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.rpc.Watch(ctx, &pb.WatchRequest{
		OperationId: req.OperationID, Handle: req.Handle, State: req.State, FromSeq: req.FromSeq,
	})
	if err != nil {
		return asError(err)
	}
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return asError(err)
		}
		event := eventFromPB(in.GetEvent())
		if err := checkState(event.State); err != nil {
			return err
		}
		if err := send(event); err != nil {
			return err
		}
	}
}

func (c lifecycleClient) Cancel(ctx context.Context, req driver.CancelRequest) (driver.CancelResponse, error) {
	out, err := c.rpc.Cancel(ctx, &pb.CancelRequest{
		OperationId: req.OperationID, Handle: req.Handle, State: req.State,
	})
	if err != nil {
		return driver.CancelResponse{}, asError(err)
	}
	return driver.CancelResponse{Cancelled: out.GetCancelled()}, nil
}

func (c lifecycleClient) Resume(ctx context.Context, req driver.ResumeRequest) (driver.ResumeResponse, error) {
	out, err := c.rpc.Resume(ctx, &pb.ResumeRequest{
		Begin: beginToPB(req.Begin), Handle: req.Handle, State: req.State, Certificate: req.Certificate,
	})
	if err != nil {
		return driver.ResumeResponse{}, asError(err)
	}
	if err := checkState(out.GetState()); err != nil {
		return driver.ResumeResponse{}, err
	}
	return driver.ResumeResponse{Handle: out.GetHandle(), State: out.GetState()}, nil
}

// checkState refuses a state that the core could not store.
func checkState(state []byte) error {
	if len(state) > driver.MaxState {
		return driver.Errorf(driver.ClassBug,
			"the driver answered with a state of %d bytes, more than the %d allowed", len(state), driver.MaxState)
	}
	return nil
}

func beginToPB(r driver.BeginRequest) *pb.BeginRequest {
	return &pb.BeginRequest{
		OperationId:   r.OperationID,
		Intent:        string(r.Intent),
		Template:      clusterTemplateToPB(r.Template),
		Cluster:       clusterToPB(r.Cluster),
		NodeGroups:    each(r.NodeGroups, nodeGroupToPB),
		NodeGroup:     r.NodeGroup,
		Endpoints:     endpointsToPB(r.Endpoints),
		NodesToRemove: r.NodesToRemove,
		MaxBatchSize:  int64(r.MaxBatchSize),
		Deadline:      durationToPB(r.Deadline),
		CaCert:        r.CACert,
	}
}

func beginFromPB(r *pb.BeginRequest) driver.BeginRequest {
	return driver.BeginRequest{
		OperationID:   r.GetOperationId(),
		Intent:        driver.Intent(r.GetIntent()),
		Template:      clusterTemplateFromPB(r.GetTemplate()),
		Cluster:       clusterFromPB(r.GetCluster()),
		NodeGroups:    each(r.GetNodeGroups(), nodeGroupFromPB),
		NodeGroup:     r.GetNodeGroup(),
		Endpoints:     endpointsFromPB(r.GetEndpoints()),
		NodesToRemove: r.GetNodesToRemove(),
		MaxBatchSize:  int(r.GetMaxBatchSize()),
		Deadline:      r.GetDeadline().AsDuration(),
		CACert:        r.GetCaCert(),
	}
}

func eventToPB(e driver.Event) *pb.Event {
	return &pb.Event{
		Seq:        e.Seq,
		Phase:      e.Phase,
		Percent:    int64(e.Percent),
		Message:    e.Message,
		State:      e.State,
		Done:       e.Done,
		Failed:     e.Failed,
		Cluster:    clusterPatchToPB(e.Cluster),
		NodeGroups: each(e.NodeGroups, nodeGroupPatchToPB),

		CertificateRequest: e.CertificateRequest,
	}
}

func eventFromPB(e *pb.Event) driver.Event {
	if e == nil {
		return driver.Event{}
	}
	return driver.Event{
		Seq:        e.Seq,
		Phase:      e.Phase,
		Percent:    int(e.Percent),
		Message:    e.Message,
		State:      e.State, // nil where absent: the stored one stays
		Done:       e.Done,
		Failed:     e.Failed,
		Cluster:    clusterPatchFromPB(e.Cluster),
		NodeGroups: each(e.NodeGroups, nodeGroupPatchFromPB),

		CertificateRequest: e.CertificateRequest,
	}
}
