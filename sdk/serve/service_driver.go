package serve

import (
	"context"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// driverServer answers for the service every driver has: Describe by the
// author, the rest by this package unless the author wrote it too.
type driverServer struct {
	pb.UnimplementedDriverServer
	plugin Plugin
	gate   *gate
	// handshaken is called at the first handshake.
	handshaken func()
}

func (s *driverServer) Handshake(_ context.Context, _ *pb.HandshakeRequest) (*pb.HandshakeResponse, error) {
	s.handshaken()
	return &pb.HandshakeResponse{
		Name:          s.plugin.Name,
		Version:       s.plugin.Version,
		Commit:        s.plugin.Commit,
		SdkVersion:    sdkVersion(),
		Services:      s.plugin.services(),
		ProtocolMinor: driver.ProtocolMinor,
	}, nil
}

func (s *driverServer) Describe(ctx context.Context, _ *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	d, err := s.plugin.describe(ctx)
	if err != nil {
		return nil, err
	}
	return &pb.DescribeResponse{Description: descriptionToPB(d)}, nil
}

func (s *driverServer) Configure(ctx context.Context, in *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	configurer, ok := s.plugin.Driver.(driver.Configurer)
	if !ok {
		return nil, driver.Errorf(driver.ClassUnsupported, "driver %s takes no configuration", s.plugin.Name)
	}
	out, err := configurer.Configure(ctx, driver.ConfigureRequest{Config: in.GetConfig()})
	if err != nil {
		return nil, err
	}
	return &pb.ConfigureResponse{NeedsRestart: out.NeedsRestart}, nil
}

func (s *driverServer) Probe(ctx context.Context, _ *pb.ProbeRequest) (*pb.ProbeResponse, error) {
	prober, ok := s.plugin.Driver.(driver.Prober)
	if !ok {
		return &pb.ProbeResponse{Ready: true}, nil
	}
	out, err := prober.Probe(ctx, driver.ProbeRequest{})
	if err != nil {
		return nil, err
	}
	return &pb.ProbeResponse{
		Ready: out.Ready,
		Dependencies: each(out.Dependencies, func(d driver.Dependency) *pb.Dependency {
			return &pb.Dependency{Name: d.Name, Ready: d.Ready, Message: d.Message}
		}),
	}, nil
}

func (s *driverServer) Drain(ctx context.Context, in *pb.DrainRequest) (*pb.DrainResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, in.GetTimeout().AsDuration())
	defer cancel()
	return &pb.DrainResponse{InFlight: int64(s.gate.drain(ctx))}, nil
}

// driverClient is the Driver service seen from the core.
type driverClient struct{ rpc pb.DriverClient }

func (c driverClient) Handshake(ctx context.Context, req driver.HandshakeRequest) (driver.HandshakeResponse, error) {
	out, err := c.rpc.Handshake(ctx, &pb.HandshakeRequest{
		CoreVersion:   req.CoreVersion,
		ProtocolMinor: int64(req.ProtocolMinor),
		Features:      req.Features,
	})
	if err != nil {
		return driver.HandshakeResponse{}, asError(err)
	}
	return driver.HandshakeResponse{
		Name:          out.GetName(),
		Version:       out.GetVersion(),
		Commit:        out.GetCommit(),
		SDKVersion:    out.GetSdkVersion(),
		Services:      out.GetServices(),
		ProtocolMinor: int(out.GetProtocolMinor()),
		Features:      out.GetFeatures(),
	}, nil
}

func (c driverClient) Describe(ctx context.Context, _ driver.DescribeRequest) (driver.DescribeResponse, error) {
	out, err := c.rpc.Describe(ctx, &pb.DescribeRequest{})
	if err != nil {
		return driver.DescribeResponse{}, asError(err)
	}
	return driver.DescribeResponse{Description: descriptionFromPB(out.GetDescription())}, nil
}

func (c driverClient) Configure(ctx context.Context, req driver.ConfigureRequest) (driver.ConfigureResponse, error) {
	out, err := c.rpc.Configure(ctx, &pb.ConfigureRequest{Config: req.Config})
	if err != nil {
		return driver.ConfigureResponse{}, asError(err)
	}
	return driver.ConfigureResponse{NeedsRestart: out.GetNeedsRestart()}, nil
}

func (c driverClient) Probe(ctx context.Context, _ driver.ProbeRequest) (driver.ProbeResponse, error) {
	out, err := c.rpc.Probe(ctx, &pb.ProbeRequest{})
	if err != nil {
		return driver.ProbeResponse{}, asError(err)
	}
	return driver.ProbeResponse{
		Ready: out.GetReady(),
		Dependencies: each(out.GetDependencies(), func(d *pb.Dependency) driver.Dependency {
			return driver.Dependency{Name: d.GetName(), Ready: d.GetReady(), Message: d.GetMessage()}
		}),
	}, nil
}

func (c driverClient) Drain(ctx context.Context, req driver.DrainRequest) (driver.DrainResponse, error) {
	out, err := c.rpc.Drain(ctx, &pb.DrainRequest{Timeout: durationToPB(max(req.Timeout, time.Duration(0)))})
	if err != nil {
		return driver.DrainResponse{}, asError(err)
	}
	return driver.DrainResponse{InFlight: int(out.GetInFlight())}, nil
}

func descriptionToPB(d driver.Description) *pb.Description {
	return &pb.Description{
		Name:        d.Name,
		DisplayName: d.DisplayName,
		Version:     d.Version,
		Maturity:    string(d.Maturity),
		ClusterTypes: each(d.ClusterTypes, func(t driver.ClusterType) *pb.ClusterType {
			return &pb.ClusterType{ServerType: t.ServerType, Os: t.OS, Coe: t.COE, Priority: int64(t.Priority)}
		}),
		LabelSchema:    d.LabelSchema,
		NetworkDrivers: d.NetworkDrivers,
		VolumeDrivers:  d.VolumeDrivers,
		Capabilities:   words[string](d.Capabilities),
		Limits: &pb.Limits{
			MinMasters: int64(d.Limits.MinMasters),
			MaxMasters: int64(d.Limits.MaxMasters),
			OddMasters: d.Limits.OddMasters,
		},
		ResourceTypes:    d.ResourceTypes,
		ConfigSchema:     d.ConfigSchema,
		Services:         d.Services,
		TemplatePath:     d.TemplatePath,
		ContainerVersion: d.ContainerVersion,
		UpgradeLabels:    d.UpgradeLabels,
		TrustFor:         d.TrustFor,
	}
}

func descriptionFromPB(d *pb.Description) driver.Description {
	return driver.Description{
		Name:        d.GetName(),
		DisplayName: d.GetDisplayName(),
		Version:     d.GetVersion(),
		Maturity:    driver.Maturity(d.GetMaturity()),
		ClusterTypes: each(d.GetClusterTypes(), func(t *pb.ClusterType) driver.ClusterType {
			return driver.ClusterType{
				ServerType: t.GetServerType(), OS: t.GetOs(), COE: t.GetCoe(), Priority: int(t.GetPriority()),
			}
		}),
		LabelSchema:    d.GetLabelSchema(),
		NetworkDrivers: d.GetNetworkDrivers(),
		VolumeDrivers:  d.GetVolumeDrivers(),
		Capabilities:   words[driver.Capability](d.GetCapabilities()),
		Limits: driver.Limits{
			MinMasters: int(d.GetLimits().GetMinMasters()),
			MaxMasters: int(d.GetLimits().GetMaxMasters()),
			OddMasters: d.GetLimits().GetOddMasters(),
		},
		ResourceTypes:    d.GetResourceTypes(),
		ConfigSchema:     d.GetConfigSchema(),
		Services:         d.GetServices(),
		TemplatePath:     d.GetTemplatePath(),
		ContainerVersion: d.GetContainerVersion(),
		UpgradeLabels:    d.GetUpgradeLabels(),
		TrustFor:         d.GetTrustFor(),
	}
}
