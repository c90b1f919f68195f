package serve

import (
	"context"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

type monitoringServer struct {
	pb.UnimplementedMonitoringServer
	impl driver.Monitoring
}

func (s monitoringServer) CheckHealth(ctx context.Context, in *pb.CheckHealthRequest) (*pb.CheckHealthResponse, error) {
	out, err := s.impl.CheckHealth(ctx, driver.CheckHealthRequest{
		Cluster:  clusterFromPB(in.GetCluster()),
		Template: clusterTemplateFromPB(in.GetTemplate()),
		Access:   accessFromPB(in.GetAccess()),
	})
	if err != nil {
		return nil, err
	}
	return &pb.CheckHealthResponse{Status: string(out.Status), Reasons: out.Reasons}, nil
}

type monitoringClient struct{ rpc pb.MonitoringClient }

func (c monitoringClient) CheckHealth(ctx context.Context, req driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	out, err := c.rpc.CheckHealth(ctx, &pb.CheckHealthRequest{
		Cluster:  clusterToPB(req.Cluster),
		Template: clusterTemplateToPB(req.Template),
		Access:   accessToPB(req.Access),
	})
	if err != nil {
		return driver.CheckHealthResponse{}, asError(err)
	}
	return driver.CheckHealthResponse{
		Status:  driver.HealthStatus(out.GetStatus()),
		Reasons: out.GetReasons(),
	}, nil
}
