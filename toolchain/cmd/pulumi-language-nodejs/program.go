package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Run runs a program to its end. What goes wrong in the program is the response's error, not the call's.
func (host *languageHost) Run(
	ctx context.Context, request *pulumirpc.RunRequest,
) (*pulumirpc.RunResponse, error) {
	command, err := host.programCommand(ctx, request)
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	err = command.Run()
	if err == nil {
		return &pulumirpc.RunResponse{}, nil
	}
	code, exited := exitCode(err)
	switch {
	case exited && code == alreadyReported:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case exited:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program exited with code %d", code)}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("the program did not run to its end: %s", err)}, nil
	}
}

func (host *languageHost) programCommand(ctx context.Context, request *pulumirpc.RunRequest) (*exec.Cmd, error) {
	if request.GetAttachDebugger() {
		return nil, fmt.Errorf("attaching a debugger needs Pulumi's own language host; use `nodeargs: --inspect` instead")
	}
	options, err := parseOptions(request.GetInfo().GetOptions())
	if err != nil {
		return nil, err
	}
	configuration, err := programConfiguration(request)
	if err != nil {
		return nil, err
	}
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	runner, err := locateModule(ctx, node, "@pulumi/pulumi/cmd/run", request.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}

	arguments := append(options.nodeArguments, runner)
	arguments = append(arguments, host.programArguments(request)...)
	// The call's own context ends with the engine's connection, the host's with Cancel: either ends the program.
	running, interrupt := context.WithCancel(host.running)
	context.AfterFunc(ctx, interrupt)
	command := exec.CommandContext(running, node, arguments...)
	interruptible(command)
	command.Env = append(os.Environ(), configuration...)
	command.Env = append(command.Env, options.environment()...)
	// Wrapped, so that node gets pipes: it may switch a file descriptor that it shares with us to non-blocking.
	command.Stdout = struct{ io.Writer }{os.Stdout}
	command.Stderr = struct{ io.Writer }{os.Stderr}
	return command, nil
}

func (host *languageHost) programArguments(request *pulumirpc.RunRequest) []string {
	var arguments []string
	add := func(name, value string) {
		if value != "" {
			arguments = append(arguments, "--"+name, value)
		}
	}
	add("monitor", request.GetMonitorAddress())
	add("engine", host.engineAddress)
	add("organization", request.GetOrganization())
	add("project", request.GetProject())
	add("root-directory", request.GetInfo().GetRootDirectory())
	add("stack", request.GetStack())
	add("pwd", request.GetInfo().GetProgramDirectory())
	if request.GetDryRun() {
		arguments = append(arguments, "--dry-run")
	}
	add("parallel", strconv.Itoa(int(request.GetParallel())))
	add("tracing", host.tracing)
	arguments = append(arguments, request.GetInfo().GetEntryPoint())
	return append(arguments, request.GetArgs()...)
}

// programConfiguration is the stack's configuration as the SDK expects it in the environment: keys with the historical
// `:config:` infix, which every version of the SDK understands, and the names of those that are secret.
func programConfiguration(request *pulumirpc.RunRequest) ([]string, error) {
	values := make(map[string]string, len(request.GetConfig()))
	for key, value := range request.GetConfig() {
		parsed, err := config.ParseKey(key)
		if err != nil {
			return nil, fmt.Errorf("configuration key %q: %w", key, err)
		}
		values[parsed.Namespace()+":config:"+parsed.Name()] = value
	}
	encodedValues, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secretKeys := request.GetConfigSecretKeys()
	if secretKeys == nil {
		secretKeys = []string{}
	}
	encodedSecretKeys, err := json.Marshal(secretKeys)
	if err != nil {
		return nil, err
	}
	return []string{
		"PULUMI_CONFIG=" + string(encodedValues),
		"PULUMI_CONFIG_SECRET_KEYS=" + string(encodedSecretKeys),
	}, nil
}
