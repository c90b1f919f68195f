package serve

import (
	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// window is the HTTP/2 flow control window of both sides. gRPC's default of
// 64 KiB makes a rendered stack wait for several round trips.
const window = 4 << 20

// NewServer makes a gRPC server with all services of a driver, as Main serves
// it. Tests use it to have a driver in their own process.
func NewServer(p Plugin, logger hclog.Logger, options ...grpc.ServerOption) (*grpc.Server, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	g := &gate{name: p.Name, logger: logger}
	server := newServer(g, options)
	register(server, p, g, func() {})
	return server, nil
}

// streamWorkers is how many goroutines stay to answer calls: a fresh one for each
// grows its stack anew, which is a tenth of a small call. More calls at once get
// goroutines of their own.
const streamWorkers = 4

func newServer(g *gate, options []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(driver.MaxMessage),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.MaxSendMsgSize(driver.MaxMessage),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(window),
		grpc.ChainUnaryInterceptor(g.unary),
		grpc.ChainStreamInterceptor(g.stream),
	}, options...)...)
}

func register(server grpc.ServiceRegistrar, p Plugin, g *gate, handshaken func()) {
	pb.RegisterDriverServer(server, &driverServer{plugin: p, gate: g, handshaken: handshaken})
	if p.Templates != nil {
		pb.RegisterTemplatesServer(server, templatesServer{impl: p.Templates})
	}
	if p.Scaling != nil {
		pb.RegisterScalingServer(server, scalingServer{impl: p.Scaling})
	}
	if p.Monitoring != nil {
		pb.RegisterMonitoringServer(server, monitoringServer{impl: p.Monitoring})
	}
	if p.Lifecycle != nil {
		pb.RegisterLifecycleServer(server, lifecycleServer{impl: p.Lifecycle})
	}
}
