package driver

import (
	"context"
	"time"
)

// Driver is the service every driver has. An author writes Describe; package
// serve supplies the rest, and lets an author override it through
// [Configurer] and [Prober].
type Driver interface {
	Describe(ctx context.Context, req DescribeRequest) (DescribeResponse, error)
}

// Configurer is implemented by a driver that takes configuration from the
// operator. The configuration has already passed Description.ConfigSchema.
type Configurer interface {
	Configure(ctx context.Context, req ConfigureRequest) (ConfigureResponse, error)
}

// Prober is implemented by a driver whose readiness depends on something
// beyond its own process. It must answer within two seconds.
type Prober interface {
	Probe(ctx context.Context, req ProbeRequest) (ProbeResponse, error)
}

// Templates is the service of a driver whose clusters are Heat stacks.
type Templates interface {
	Validate(ctx context.Context, req ValidateRequest) (ValidateResponse, error)
	Render(ctx context.Context, req RenderRequest) (RenderResponse, error)
	MapOutputs(ctx context.Context, req MapOutputsRequest) (MapOutputsResponse, error)
	PreDelete(ctx context.Context, req PreDeleteRequest) (PreDeleteResponse, error)
}

// Scaling is the optional service that says which nodes go first.
type Scaling interface {
	SelectNodes(ctx context.Context, req SelectNodesRequest) (SelectNodesResponse, error)
}

// Monitoring is the optional service that looks at a running cluster.
type Monitoring interface {
	CheckHealth(ctx context.Context, req CheckHealthRequest) (CheckHealthResponse, error)
}

// Lifecycle takes the place of Templates in a driver that does not use Heat.
// Begin with the same operation id and the same request is the same operation;
// with another pending for the cluster it fails with ClassConflict.
type Lifecycle interface {
	Begin(ctx context.Context, req BeginRequest) (BeginResponse, error)
	// Watch calls send for each event from req.FromSeq on, and returns nil
	// after one that is Done.
	Watch(ctx context.Context, req WatchRequest, send func(Event) error) error
	Cancel(ctx context.Context, req CancelRequest) (CancelResponse, error)
	Resume(ctx context.Context, req ResumeRequest) (ResumeResponse, error)
}

// The names of the services as they appear in HandshakeResponse.Services and
// in a package's manifest.
const (
	ServiceDriver     = "magnum.driver.v1.Driver"
	ServiceTemplates  = "magnum.driver.v1.Templates"
	ServiceScaling    = "magnum.driver.v1.Scaling"
	ServiceMonitoring = "magnum.driver.v1.Monitoring"
	ServiceLifecycle  = "magnum.driver.v1.Lifecycle"
)

const (
	// ProtocolMajor is the contract's major version, part of the protobuf
	// package name. The core speaks this one and the one before.
	ProtocolMajor = 1
	// ProtocolMinor grows when a message or a field is added.
	ProtocolMinor = 0

	// MaxString is the longest string in any message, in bytes.
	MaxString = 64 << 10
	// MaxStack is the largest rendered stack: template, files and
	// environments together, in bytes.
	MaxStack = 8 << 20
	// MaxMessage is the largest message in either direction, in bytes. gRPC's
	// own default of 4 MiB is too small for a stack of 8.
	MaxMessage = 16 << 20
	// MaxState is the largest opaque state of a Lifecycle operation, in bytes.
	MaxState = 1 << 20
)

// HandshakeRequest is what the core says of itself first.
type HandshakeRequest struct {
	CoreVersion   string
	ProtocolMinor int
	Features      []string
}

// HandshakeResponse is what the driver says of itself. Name, Version and
// Services must equal the package's manifest.
type HandshakeResponse struct {
	Name          string
	Version       string // semver without a leading v
	Commit        string
	SDKVersion    string
	Services      []string
	ProtocolMinor int
	Features      []string
}

// ConfigureRequest carries the operator's configuration as a JSON object.
type ConfigureRequest struct {
	Config []byte
}

// ConfigureResponse says whether the configuration is in force already.
type ConfigureResponse struct {
	NeedsRestart bool
}

// ProbeRequest asks whether the driver can take calls.
type ProbeRequest struct{}

// ProbeResponse answers. A driver that is not ready names what it waits for;
// one that is broken returns an error instead.
type ProbeResponse struct {
	Ready        bool
	Dependencies []Dependency
}

// Dependency is something outside the driver that it needs.
type Dependency struct {
	Name    string
	Ready   bool
	Message string
}

// DrainRequest asks the driver to take no new calls and to finish those it has.
type DrainRequest struct {
	Timeout time.Duration
}

// DrainResponse says how many calls were still running when the time was up.
type DrainResponse struct {
	InFlight int
}
