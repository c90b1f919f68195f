package serve

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// Control is how a host manages a driver process, as opposed to the questions
// that a [driver.Set] answers.
type Control interface {
	Handshake(ctx context.Context, req driver.HandshakeRequest) (driver.HandshakeResponse, error)
	Configure(ctx context.Context, req driver.ConfigureRequest) (driver.ConfigureResponse, error)
	Probe(ctx context.Context, req driver.ProbeRequest) (driver.ProbeResponse, error)
	Drain(ctx context.Context, req driver.DrainRequest) (driver.DrainResponse, error)
}

// Connection is a driver at the other end of a connection.
type Connection struct {
	Control   Control
	Handshake driver.HandshakeResponse
	Set       driver.Set
}

// Dial shakes hands over a connection that is there already, and returns the
// driver behind it.
func Dial(ctx context.Context, conn grpc.ClientConnInterface, req driver.HandshakeRequest) (*Connection, error) {
	control := NewControl(conn)
	hello, err := control.Handshake(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("shake hands with the driver: %w", err)
	}
	return &Connection{Control: control, Handshake: hello, Set: NewSet(conn, hello)}, nil
}

// NewControl returns the managing calls over a connection.
func NewControl(conn grpc.ClientConnInterface) Control {
	return driverClient{rpc: pb.NewDriverClient(conn)}
}

// NewSet returns the services that the handshake named, over a connection; the
// others are nil.
func NewSet(conn grpc.ClientConnInterface, hello driver.HandshakeResponse) driver.Set {
	set := driver.Set{
		Name:    hello.Name,
		Version: hello.Version,
		Driver:  driverClient{rpc: pb.NewDriverClient(conn)},
	}
	has := func(service string) bool { return slices.Contains(hello.Services, service) }
	if has(driver.ServiceTemplates) {
		set.Templates = templatesClient{rpc: pb.NewTemplatesClient(conn)}
	}
	if has(driver.ServiceScaling) {
		set.Scaling = scalingClient{rpc: pb.NewScalingClient(conn)}
	}
	if has(driver.ServiceMonitoring) {
		set.Monitoring = monitoringClient{rpc: pb.NewMonitoringClient(conn)}
	}
	if has(driver.ServiceLifecycle) {
		set.Lifecycle = lifecycleClient{rpc: pb.NewLifecycleClient(conn)}
	}
	return set
}

// DialOptions are what a host must set on its side of the connection: the size
// of messages and of the flow control windows, and that a call tells of the
// [driver.Trace] it is part of.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(driver.MaxMessage),
			grpc.MaxCallSendMsgSize(driver.MaxMessage),
		),
		grpc.WithChainUnaryInterceptor(sendTrace),
		grpc.WithChainStreamInterceptor(sendTraceOnStream),
		grpc.WithInitialWindowSize(window),
		grpc.WithInitialConnWindowSize(window),
		// The driver lives as long as the connection: no idling, and no
		// retries below those that the host decides.
		grpc.WithIdleTimeout(0),
		grpc.WithDisableServiceConfig(),
	}
}
