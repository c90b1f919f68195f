package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"google.golang.org/grpc"

	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

// plain answers Render over gRPC as it comes, without anything of ours but the
// messages: what benchmarks compare with.
type plain struct {
	pb.UnimplementedTemplatesServer
}

func (plain) Render(_ context.Context, in *pb.RenderRequest) (*pb.RenderResponse, error) {
	_, argument, _ := strings.Cut(in.GetCluster().GetName(), ":")
	n, err := strconv.Atoi(argument)
	return &pb.RenderResponse{Template: strings.Repeat("y", n)}, err
}

// servePlain serves on a socket until stdin ends.
func servePlain(socket string) int {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server := grpc.NewServer()
	pb.RegisterTemplatesServer(server, plain{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	_ = server.Serve(listener)
	return 0
}
