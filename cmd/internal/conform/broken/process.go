package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// run serves as serve.Main does, with less care, so that what serve.Main does
// not let an author break can be broken too.
func run(p serve.Plugin, rule string) int {
	if rule == "DRV-004" {
		fmt.Fprintln(os.Stderr, "as told")
		return 1
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	keys, err := readKeys()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var status atomic.Int32
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  serve.HandshakeConfig(),
		VersionedPlugins: map[int]plugin.PluginSet{driver.ProtocolMajor: {serve.PluginName: served{}}},
		TLSProvider:      keys.ServerConfig,
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			w := &wire{rule: rule, sent: map[string]int{}, continued: continued}
			server, err := serve.NewServer(p, nil, append(options, grpc.UnaryInterceptor(w.outside), grpc.ChainUnaryInterceptor(w.inside))...)
			if err != nil {
				panic(err)
			}
			if rule == "DRV-008" {
				registerMore(server)
			}
			go func() {
				<-signals
				if rule == "DRV-101" {
					status.Store(3)
				}
				if rule == "DRV-102" {
					server.Stop()
					return
				}
				server.GracefulStop()
			}()
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				if rule != "DRV-103" {
					server.Stop()
				}
			}()
			return server
		},
	})
	return int(status.Load())
}

func readKeys() (keyPair, error) {
	var k keyPair
	text, err := io.ReadAll(os.NewFile(3, "keys"))
	if err != nil {
		return k, err
	}
	return k, json.Unmarshal(text, &k.Keys)
}

type keyPair struct{ serve.Keys }

// ServerConfig has the form that go-plugin wants.
func (k keyPair) ServerConfig() (*tls.Config, error) { return k.Keys.ServerConfig() }

// served registers nothing: the server is made with its services.
type served struct{ plugin.NetRPCUnsupportedPlugin }

func (served) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (served) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a driver is not its own client")
}
