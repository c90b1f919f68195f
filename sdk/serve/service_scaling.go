package serve

import (
	"context"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

type scalingServer struct {
	pb.UnimplementedScalingServer
	impl driver.Scaling
}

func (s scalingServer) SelectNodes(ctx context.Context, in *pb.SelectNodesRequest) (*pb.SelectNodesResponse, error) {
	out, err := s.impl.SelectNodes(ctx, driver.SelectNodesRequest{
		Cluster:   clusterFromPB(in.GetCluster()),
		Template:  clusterTemplateFromPB(in.GetTemplate()),
		NodeGroup: nodeGroupFromPB(in.GetNodeGroup()),
		Nodes: each(in.GetNodes(), func(n *pb.Node) driver.Node {
			return driver.Node{
				Name: n.GetName(), Address: n.GetAddress(), HeatIndex: n.GetHeatIndex(), ServerID: n.GetServerId(),
			}
		}),
		Count:  int(in.GetCount()),
		Access: accessFromPB(in.GetAccess()),
	})
	if err != nil {
		return nil, err
	}
	return &pb.SelectNodesResponse{Nodes: each(out.Nodes, func(n driver.Selected) *pb.Selected {
		return &pb.Selected{HeatIndex: n.HeatIndex, Reason: n.Reason}
	})}, nil
}

type scalingClient struct{ rpc pb.ScalingClient }

func (c scalingClient) SelectNodes(ctx context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	out, err := c.rpc.SelectNodes(ctx, &pb.SelectNodesRequest{
		Cluster:   clusterToPB(req.Cluster),
		Template:  clusterTemplateToPB(req.Template),
		NodeGroup: nodeGroupToPB(req.NodeGroup),
		Nodes: each(req.Nodes, func(n driver.Node) *pb.Node {
			return &pb.Node{Name: n.Name, Address: n.Address, HeatIndex: n.HeatIndex, ServerId: n.ServerID}
		}),
		Count:  int64(req.Count),
		Access: accessToPB(req.Access),
	})
	if err != nil {
		return driver.SelectNodesResponse{}, asError(err)
	}
	return driver.SelectNodesResponse{Nodes: each(out.GetNodes(), func(n *pb.Selected) driver.Selected {
		return driver.Selected{HeatIndex: n.GetHeatIndex(), Reason: n.GetReason()}
	})}, nil
}
