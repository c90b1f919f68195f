// The test driver: a driver that does what the name of the cluster in a Render
// request tells it to.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// Set by the linker.
var (
	name     = "test-driver"
	version  = "1.0.0"
	coe      = "kubernetes"
	priority = "0"
	broken   = "" // if set, it describes itself but does not serve
	labels   = `{"tag": {"type": "string"}}`
	networks = "" // network and volume drivers, separated by commas
	maturity = string(driver.MaturityStable)
)

func main() {
	switch os.Getenv("TESTDRIVER_MODE") {
	case "stray":
		fmt.Println("loading plugins")
		fmt.Println(`1|2|three`)
		fmt.Print("almost there...") // no end of line: the handshake follows
	case "plain":
		os.Exit(servePlain(os.Getenv("TESTDRIVER_SOCKET")))
	case "try":
		fmt.Print(try(os.Getenv("TESTDRIVER_TRY")))
		return
	case "silent":
		<-time.After(time.Hour)
	case "exit":
		fmt.Fprintln(os.Stderr, "cannot open /etc/test-driver.conf")
		os.Exit(4)
	case "escape":
		leaveBehind(true)
	}
	if broken != "" && len(os.Args) == 1 {
		fmt.Fprintln(os.Stderr, "cannot open /etc/test-driver.conf")
		os.Exit(4)
	}
	rank, _ := strconv.Atoi(priority)
	d := &testDriver{rank: rank}
	if n, err := strconv.Atoi(os.Getenv("TESTDRIVER_PROBES")); err == nil {
		d.probes.Store(int64(n))
	}
	serve.Main(serve.Plugin{
		Name: name, Version: version, Commit: "abc1234",
		Driver: d, Templates: d, Scaling: d, Monitoring: d, Lifecycle: d,
	})
}

type testDriver struct {
	rank       int
	probes     atomic.Int64 // how many times Probe still says no
	configured atomic.Value
	mute       atomic.Bool // Probe does not answer
}

func (d *testDriver) Describe(context.Context, driver.DescribeRequest) (driver.DescribeResponse, error) {
	fmt.Println("describing") // must not get into the JSON
	var has []string
	if networks != "" {
		has = strings.Split(networks, ",")
	}
	return driver.DescribeResponse{Description: driver.Description{
		DisplayName: "Test driver", Maturity: driver.Maturity(maturity), NetworkDrivers: has, VolumeDrivers: has,
		ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-coreos", COE: coe, Priority: d.rank}},
		LabelSchema:  driver.RawJSON(`{"type": "object", "properties": ` + labels + `}`),
		ConfigSchema: driver.RawJSON(`{"type": "object", "properties": {"key": {"type": "string", "maxLength": 8}}, "additionalProperties": false}`),
		Capabilities: []driver.Capability{driver.CapResize},
	}}, nil
}

// Configure refuses some configurations, and takes others only as the first.
func (d *testDriver) Configure(_ context.Context, req driver.ConfigureRequest) (driver.ConfigureResponse, error) {
	config := string(req.Config)
	switch {
	case strings.Contains(config, "refuse"):
		return driver.ConfigureResponse{}, driver.Errorf(driver.ClassInvalidInput, "not with me, token=sesame")
	case strings.Contains(config, "restart") && d.configured.Load() != nil:
		return driver.ConfigureResponse{NeedsRestart: true}, nil
	}
	d.configured.Store(config)
	return driver.ConfigureResponse{}, nil
}

//nolint:unparam // the interface asks for both results
func (d *testDriver) Probe(context.Context, driver.ProbeRequest) (driver.ProbeResponse, error) {
	if d.mute.Load() {
		select {}
	}
	if d.probes.Add(-1) >= 0 {
		return driver.ProbeResponse{Dependencies: []driver.Dependency{{Name: "cloud", Message: "no answer yet"}}}, nil
	}
	return driver.ProbeResponse{Ready: true}, nil
}

func (d *testDriver) Validate(_ context.Context, req driver.ValidateRequest) (driver.ValidateResponse, error) {
	size, _ := strconv.Atoi(req.Cluster.Labels["size"])
	return driver.ValidateResponse{Violations: []driver.Violation{{
		Field: "name", Message: strings.Repeat("x", size), Class: driver.ClassInvalidInput,
	}}}, nil
}

// Render does what the cluster is called: a word, and an argument after a
// colon.
func (d *testDriver) Render(ctx context.Context, req driver.RenderRequest) (driver.RenderResponse, error) {
	text := func(s string) (driver.RenderResponse, error) { return driver.RenderResponse{Template: s}, nil }
	word, argument, _ := strings.Cut(req.Cluster.Name, ":")
	switch word {
	case "pid":
		return text(strconv.Itoa(os.Getpid()))
	case "env":
		return text(strings.Join(os.Environ(), "\n"))
	case "config":
		config, _ := d.configured.Load().(string)
		return text(config)
	case "size":
		n, err := strconv.Atoi(argument)
		if err != nil {
			return text("")
		}
		return text(strings.Repeat("y", n))
	case "error":
		return driver.RenderResponse{}, &driver.Error{
			Class: driver.Class(argument), Blame: driver.BlameOperator,
			UserMessage: "for the user", OperatorMessage: "for the operator", RetryAfter: 7 * time.Second,
		}
	case "refuse":
		return driver.RenderResponse{}, driver.Errorf(driver.ClassInvalidInput, "not like that")
	case "panic":
		panic("as told")
	case "exit":
		os.Exit(3)
	case "crash":
		fmt.Fprintln(os.Stderr, argument)
		go func() { panic("as told, in a goroutine") }()
		select {}
	case "unready":
		n, _ := strconv.Atoi(argument)
		d.probes.Store(int64(n))
		return text("not ready")
	case "mute":
		d.mute.Store(true)
		return text("mute")
	case "flood":
		// Output without end and without lines, until the pipe breaks.
		go func() {
			for chunk := strings.Repeat("f", 32<<10); ; {
				if _, err := os.Stderr.WriteString(chunk); err != nil {
					return
				}
			}
		}()
		return text("flooding")
	case "stuck":
		select {} // whatever its caller's time
	case "die-once":
		if _, err := os.Stat(argument); err != nil {
			if err := os.WriteFile(argument, nil, 0o600); err != nil {
				return driver.RenderResponse{}, err
			}
			kill()
		}
		return text(strconv.Itoa(os.Getpid()))
	case "hang":
		<-ctx.Done()
		return driver.RenderResponse{}, ctx.Err()
	case "sleep":
		d, err := time.ParseDuration(argument)
		if err != nil {
			return driver.RenderResponse{}, err
		}
		<-time.After(d)
		return text("slept")
	case "wait-for":
		// Says that the call has begun, and waits for a file to be made.
		if err := os.WriteFile(argument+".begun", nil, 0o600); err != nil {
			return driver.RenderResponse{}, err
		}
		for {
			if _, err := os.Stat(argument); err == nil {
				return text("seen")
			}
			<-time.After(5 * time.Millisecond)
		}
	case "grandchild":
		return text(strconv.Itoa(leaveBehind(argument == "escape")))
	case "try":
		return text(try(argument))
	case "print":
		n, _ := strconv.Atoi(argument)
		fmt.Println(strings.Repeat("o", n))
		fmt.Fprintln(os.Stderr, strings.Repeat("e", n))
		return text("printed")
	case "log":
		hclog.Default().Named("part").Warn(argument, "number", 10000000)
		return text("logged")
	}
	return driver.RenderResponse{
		Template:   "template of " + req.Cluster.Name,
		Files:      map[string]string{"a.yaml": "a"},
		Parameters: map[string]driver.Parameter{"password": driver.Secret(driver.SecretTrusteePassword)},
	}, nil
}

func (d *testDriver) MapOutputs(_ context.Context, req driver.MapOutputsRequest) (driver.MapOutputsResponse, error) {
	size := 0
	for _, o := range req.Outputs {
		size += len(o)
	}
	address := strconv.Itoa(size)
	return driver.MapOutputsResponse{Cluster: driver.ClusterPatch{APIAddress: &address}}, nil
}

func (d *testDriver) PreDelete(context.Context, driver.PreDeleteRequest) (driver.PreDeleteResponse, error) {
	return driver.PreDeleteResponse{Cleanups: []driver.Cleanup{{Kind: driver.CleanupLoadBalancer, DescriptionPattern: "x", Cascade: true}}}, nil
}

func (d *testDriver) SelectNodes(_ context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	return driver.SelectNodesResponse{Nodes: []driver.Selected{{HeatIndex: req.Nodes[0].HeatIndex, Reason: "first"}}}, nil
}

func (d *testDriver) CheckHealth(context.Context, driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	return driver.CheckHealthResponse{Status: driver.Healthy, Reasons: map[string]string{"api": "ok"}}, nil
}

func (d *testDriver) Begin(_ context.Context, req driver.BeginRequest) (driver.BeginResponse, error) {
	return driver.BeginResponse{Handle: "handle-" + req.OperationID, State: []byte("0")}, nil
}

// Watch sends events 1 to 4. If the handle is die-once:FILE, it dies after the
// second, once.
func (d *testDriver) Watch(_ context.Context, req driver.WatchRequest, send func(driver.Event) error) error {
	word, file, _ := strings.Cut(req.Handle, ":")
	for seq := max(req.FromSeq, 1); seq <= 4; seq++ {
		event := driver.Event{Seq: seq, Phase: "phase", Message: strconv.Itoa(os.Getpid()), State: []byte{byte(seq)}, Done: seq == 4}
		if err := send(event); err != nil {
			return err
		}
		if seq == 2 && word == "die-once" {
			if _, err := os.Stat(file); err != nil {
				<-time.After(20 * time.Millisecond) // let the event out
				if err := os.WriteFile(file, nil, 0o600); err != nil {
					return err
				}
				kill()
			}
		}
	}
	return nil
}

func (d *testDriver) Cancel(context.Context, driver.CancelRequest) (driver.CancelResponse, error) {
	return driver.CancelResponse{Cancelled: true}, nil
}

func (d *testDriver) Resume(_ context.Context, req driver.ResumeRequest) (driver.ResumeResponse, error) {
	return driver.ResumeResponse{Handle: req.Handle, State: req.State}, nil
}

// leaveBehind starts a process that holds our stdout and stderr, in our group
// or out of it, and returns its id.
func leaveBehind(escape bool) int {
	cmd := exec.CommandContext(context.Background(), "sleep", "60")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.NewFile(2, "stderr")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: escape}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd.Process.Pid
}

// kill ends this process in the middle of things.
func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}
