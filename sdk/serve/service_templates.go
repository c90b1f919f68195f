package serve

import (
	"context"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

type templatesServer struct {
	pb.UnimplementedTemplatesServer
	impl driver.Templates
}

func (s templatesServer) Validate(ctx context.Context, in *pb.ValidateRequest) (*pb.ValidateResponse, error) {
	out, err := s.impl.Validate(ctx, driver.ValidateRequest{
		Intent:     driver.Intent(in.GetIntent()),
		Template:   clusterTemplateFromPB(in.GetTemplate()),
		Cluster:    clusterFromPB(in.GetCluster()),
		NodeGroups: each(in.GetNodeGroups(), nodeGroupFromPB),
		NodeGroup:  in.GetNodeGroup(),
	})
	if err != nil {
		return nil, err
	}
	return &pb.ValidateResponse{Violations: each(out.Violations, func(v driver.Violation) *pb.Violation {
		return &pb.Violation{Field: v.Field, Message: v.Message, Class: classToPB(v.Class)}
	})}, nil
}

func (s templatesServer) Render(ctx context.Context, in *pb.RenderRequest) (*pb.RenderResponse, error) {
	out, err := s.impl.Render(ctx, driver.RenderRequest{
		Intent:         driver.Intent(in.GetIntent()),
		Template:       clusterTemplateFromPB(in.GetTemplate()),
		Cluster:        clusterFromPB(in.GetCluster()),
		NodeGroups:     each(in.GetNodeGroups(), nodeGroupFromPB),
		NodeGroup:      in.GetNodeGroup(),
		Endpoints:      endpointsFromPB(in.GetEndpoints()),
		NodesToRemove:  in.GetNodesToRemove(),
		MaxBatchSize:   int(in.GetMaxBatchSize()),
		ClusterOutputs: rawMap[driver.RawJSON](in.GetClusterOutputs()),
	})
	if err != nil {
		return nil, err
	}
	return &pb.RenderResponse{
		Template:        out.Template,
		Files:           out.Files,
		Environments:    out.Environments,
		Parameters:      parametersToPB(out.Parameters),
		DisableRollback: out.DisableRollback,
		Tags:            out.Tags,
		TimeoutMinutes:  int64(out.TimeoutMinutes),
	}, nil
}

func (s templatesServer) MapOutputs(ctx context.Context, in *pb.MapOutputsRequest) (*pb.MapOutputsResponse, error) {
	out, err := s.impl.MapOutputs(ctx, driver.MapOutputsRequest{
		Template:   clusterTemplateFromPB(in.GetTemplate()),
		Cluster:    clusterFromPB(in.GetCluster()),
		NodeGroups: each(in.GetNodeGroups(), nodeGroupFromPB),
		NodeGroup:  in.GetNodeGroup(),
		Outputs:    rawMap[driver.RawJSON](in.GetOutputs()),
		Parameters: in.GetParameters(),
		Resources: each(in.GetResources(), func(r *pb.Resource) driver.Resource {
			return driver.Resource{
				Name: r.GetName(), Type: r.GetType(), Status: r.GetStatus(),
				Reason: r.GetReason(), PhysicalID: r.GetPhysicalId(), Parent: r.GetParent(),
			}
		}),
	})
	if err != nil {
		return nil, err
	}
	return &pb.MapOutputsResponse{
		Cluster:    clusterPatchToPB(out.Cluster),
		NodeGroups: each(out.NodeGroups, nodeGroupPatchToPB),
	}, nil
}

func (s templatesServer) PreDelete(ctx context.Context, in *pb.PreDeleteRequest) (*pb.PreDeleteResponse, error) {
	out, err := s.impl.PreDelete(ctx, driver.PreDeleteRequest{
		Template: clusterTemplateFromPB(in.GetTemplate()),
		Cluster:  clusterFromPB(in.GetCluster()),
	})
	if err != nil {
		return nil, err
	}
	return &pb.PreDeleteResponse{Cleanups: each(out.Cleanups, func(c driver.Cleanup) *pb.Cleanup {
		return &pb.Cleanup{Kind: string(c.Kind), DescriptionPattern: c.DescriptionPattern, Cascade: c.Cascade}
	})}, nil
}

type templatesClient struct{ rpc pb.TemplatesClient }

func (c templatesClient) Validate(ctx context.Context, req driver.ValidateRequest) (driver.ValidateResponse, error) {
	out, err := c.rpc.Validate(ctx, &pb.ValidateRequest{
		Intent:     string(req.Intent),
		Template:   clusterTemplateToPB(req.Template),
		Cluster:    clusterToPB(req.Cluster),
		NodeGroups: each(req.NodeGroups, nodeGroupToPB),
		NodeGroup:  req.NodeGroup,
	})
	if err != nil {
		return driver.ValidateResponse{}, asError(err)
	}
	return driver.ValidateResponse{Violations: each(out.GetViolations(), func(v *pb.Violation) driver.Violation {
		return driver.Violation{Field: v.GetField(), Message: v.GetMessage(), Class: violationClass(v.GetClass())}
	})}, nil
}

func (c templatesClient) Render(ctx context.Context, req driver.RenderRequest) (driver.RenderResponse, error) {
	out, err := c.rpc.Render(ctx, &pb.RenderRequest{
		Intent:         string(req.Intent),
		Template:       clusterTemplateToPB(req.Template),
		Cluster:        clusterToPB(req.Cluster),
		NodeGroups:     each(req.NodeGroups, nodeGroupToPB),
		NodeGroup:      req.NodeGroup,
		Endpoints:      endpointsToPB(req.Endpoints),
		NodesToRemove:  req.NodesToRemove,
		MaxBatchSize:   int64(req.MaxBatchSize),
		ClusterOutputs: rawMap[[]byte](req.ClusterOutputs),
	})
	if err != nil {
		return driver.RenderResponse{}, asError(err)
	}
	resp := driver.RenderResponse{
		Template:        out.GetTemplate(),
		Files:           out.GetFiles(),
		Environments:    out.GetEnvironments(),
		Parameters:      parametersFromPB(out.GetParameters()),
		DisableRollback: out.GetDisableRollback(),
		Tags:            out.GetTags(),
		TimeoutMinutes:  int(out.GetTimeoutMinutes()),
	}
	if size := stackSize(resp); size > driver.MaxStack {
		return driver.RenderResponse{}, driver.Errorf(driver.ClassBug,
			"the driver rendered a stack of %d bytes, more than the %d allowed", size, driver.MaxStack)
	}
	return resp, nil
}

func (c templatesClient) MapOutputs(ctx context.Context, req driver.MapOutputsRequest) (driver.MapOutputsResponse, error) {
	out, err := c.rpc.MapOutputs(ctx, &pb.MapOutputsRequest{
		Template:   clusterTemplateToPB(req.Template),
		Cluster:    clusterToPB(req.Cluster),
		NodeGroups: each(req.NodeGroups, nodeGroupToPB),
		NodeGroup:  req.NodeGroup,
		Outputs:    rawMap[[]byte](req.Outputs),
		Parameters: req.Parameters,
		Resources: each(req.Resources, func(r driver.Resource) *pb.Resource {
			return &pb.Resource{
				Name: r.Name, Type: r.Type, Status: r.Status,
				Reason: r.Reason, PhysicalId: r.PhysicalID, Parent: r.Parent,
			}
		}),
	})
	if err != nil {
		return driver.MapOutputsResponse{}, asError(err)
	}
	return driver.MapOutputsResponse{
		Cluster:    clusterPatchFromPB(out.GetCluster()),
		NodeGroups: each(out.GetNodeGroups(), nodeGroupPatchFromPB),
	}, nil
}

func (c templatesClient) PreDelete(ctx context.Context, req driver.PreDeleteRequest) (driver.PreDeleteResponse, error) {
	out, err := c.rpc.PreDelete(ctx, &pb.PreDeleteRequest{
		Template: clusterTemplateToPB(req.Template),
		Cluster:  clusterToPB(req.Cluster),
	})
	if err != nil {
		return driver.PreDeleteResponse{}, asError(err)
	}
	return driver.PreDeleteResponse{Cleanups: each(out.GetCleanups(), func(c *pb.Cleanup) driver.Cleanup {
		return driver.Cleanup{
			Kind:               driver.CleanupKind(c.GetKind()),
			DescriptionPattern: c.GetDescriptionPattern(),
			Cascade:            c.GetCascade(),
		}
	})}, nil
}

func parametersToPB(in map[string]driver.Parameter) map[string]*pb.Parameter {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]*pb.Parameter, len(in))
	for name, p := range in {
		if p.Secret != "" {
			out[name] = &pb.Parameter{Kind: &pb.Parameter_Secret{Secret: string(p.Secret)}}
		} else {
			out[name] = &pb.Parameter{Kind: &pb.Parameter_Value{Value: p.Value}}
		}
	}
	return out
}

func parametersFromPB(in map[string]*pb.Parameter) map[string]driver.Parameter {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]driver.Parameter, len(in))
	for name, p := range in {
		out[name] = driver.Parameter{Value: p.GetValue(), Secret: driver.SecretRef(p.GetSecret())}
	}
	return out
}

func rawMap[B, A ~[]byte](in map[string]A) map[string]B {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]B, len(in))
	for name, text := range in {
		out[name] = B(text)
	}
	return out
}

func stackSize(r driver.RenderResponse) int {
	size := len(r.Template)
	for name, content := range r.Files {
		size += len(name) + len(content)
	}
	for _, e := range r.Environments {
		size += len(e)
	}
	return size
}

// violationClass of one without a class is the user's input, as that is what
// Validate looks at.
func violationClass(c pb.Class) driver.Class {
	if c == pb.Class_CLASS_UNSPECIFIED {
		return driver.ClassInvalidInput
	}
	return classFromPB(c)
}
