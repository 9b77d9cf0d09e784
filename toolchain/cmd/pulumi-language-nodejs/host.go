package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// engineCheckInterval is how often the host looks whether the engine that started it still lives: a host whose engine
// was killed must not stay behind.
const engineCheckInterval = time.Minute

// languageHost answers what the engine asks of a language. What it does not implement (installing dependencies,
// generating code, publishing) answers "unimplemented" through the embedded server.
type languageHost struct {
	pulumirpc.UnimplementedLanguageRuntimeServer

	// lifetime ends when the engine goes away or the process is interrupted; end ends it.
	lifetime context.Context
	end      context.CancelFunc
	// running ends with lifetime, or when the engine cancels: programs are interrupted, and their results still told.
	running       context.Context
	interrupt     context.CancelFunc
	engineAddress string
	tracing       string
}

func newHost(lifetime context.Context, end context.CancelFunc, engineAddress, tracing string) *languageHost {
	host := &languageHost{lifetime: lifetime, end: end, engineAddress: engineAddress, tracing: tracing}
	host.running, host.interrupt = context.WithCancel(lifetime)
	return host
}

func (host *languageHost) watchEngine() error {
	err := rpcutil.Healthcheck(host.lifetime, host.engineAddress, engineCheckInterval, host.end)
	if err != nil {
		return fmt.Errorf("watch the engine at %s: %w", host.engineAddress, err)
	}
	return nil
}

// Handshake is the engine's first call; it says where the engine listens.
func (host *languageHost) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	host.engineAddress = request.GetEngineAddress()
	if err := host.watchEngine(); err != nil {
		return nil, err
	}
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo says which version of the Pulumi SDK this host speaks.
func (host *languageHost) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: strings.TrimPrefix(version.Version, "v")}, nil
}

// About describes the Node.js that programs run with, for `pulumi about`.
func (host *languageHost) About(
	ctx context.Context, _ *pulumirpc.AboutRequest,
) (*pulumirpc.AboutResponse, error) {
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	nodeVersion, err := exec.CommandContext(ctx, node, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", node, err)
	}
	return &pulumirpc.AboutResponse{Executable: node, Version: strings.TrimSpace(string(nodeVersion))}, nil
}

// Cancel interrupts the program that runs; the engine calls it on Ctrl-C.
func (host *languageHost) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	host.interrupt()
	return &emptypb.Empty{}, nil
}
