package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"

	sdk "github.com/pulumi/pulumi/sdk/v3"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// RunPlugin runs a policy pack, or a provider written in Node.js, until the engine ends it.
func (host *languageHost) RunPlugin(
	request *pulumirpc.RunPluginRequest, server pulumirpc.LanguageRuntime_RunPluginServer,
) error {
	closer, stdout, stderr, err := rpcutil.MakeRunPluginStreams(server, false)
	if err != nil {
		return err
	}
	defer closer.Close()

	ctx := server.Context()
	if request.GetKind() == string(apitype.AnalyzerPlugin) {
		err = runPolicyPack(ctx, request, stdout, stderr)
	} else {
		err = runProvider(ctx, request, stdout, stderr)
	}
	if code, exited := exitCode(err); exited {
		return fmt.Errorf("the %s plugin in %s exited with code %d",
			request.GetKind(), request.GetInfo().GetProgramDirectory(), code)
	}
	if err != nil {
		return err
	}
	return closer.Close()
}

// runProvider passes the program's directory first, and runs where the engine says.
func runProvider(ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) error {
	arguments := append([]string{request.GetInfo().GetProgramDirectory()}, request.GetArgs()...)
	command, err := pluginCommand(ctx, request, "@pulumi/pulumi/cmd/run-plugin", arguments)
	if err != nil {
		return err
	}
	command.Dir = request.GetPwd()
	command.Stdout, command.Stderr = stdout, stderr
	return command.Run()
}

// runPolicyPack passes the pack's directory last, and runs in it. A pack reads the stack's configuration from its
// environment when it starts, while the engine sends it in a first call: the proxy answers that call, and hands over
// to the pack afterwards.
func runPolicyPack(ctx context.Context, request *pulumirpc.RunPluginRequest, stdout, stderr io.Writer) error {
	arguments := append(append([]string{}, request.GetArgs()...), request.GetInfo().GetProgramDirectory())
	command, err := pluginCommand(ctx, request, "@pulumi/pulumi/cmd/run-policy-pack", arguments)
	if err != nil {
		return err
	}
	proxy, packOutput, err := sdk.NewPolicyProxy(ctx, stdout)
	if err != nil {
		return fmt.Errorf("start the policy pack's proxy: %w", err)
	}
	stack, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return fmt.Errorf("wait for the stack's configuration: %w", err)
	}
	stackEnvironment, err := policyEnvironment(stack)
	if err != nil {
		return err
	}
	command.Env = append(command.Env, stackEnvironment...)
	command.Dir = request.GetInfo().GetProgramDirectory()
	command.Stdout, command.Stderr = packOutput, stderr
	if err := command.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, command)
}

func pluginCommand(
	ctx context.Context, request *pulumirpc.RunPluginRequest, module string, arguments []string,
) (*exec.Cmd, error) {
	if request.GetAttachDebugger() {
		return nil, fmt.Errorf("attaching a debugger needs Pulumi's own language host")
	}
	options, err := parseOptions(request.GetInfo().GetOptions())
	if err != nil {
		return nil, err
	}
	node, err := findNode()
	if err != nil {
		return nil, err
	}
	runner, err := locateModule(ctx, node, module, request.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, node, append(append(options.nodeArguments, runner), arguments...)...)
	interruptible(command)
	command.Env = append(append([]string{}, request.GetEnv()...), options.environment()...)
	return command, nil
}

// policyEnvironment is the stack that a policy pack judges, as `@pulumi/pulumi` reads it; nothing for a pack that is
// loaded without a stack.
func policyEnvironment(stack *pulumirpc.AnalyzerStackConfigureRequest) ([]string, error) {
	if stack == nil {
		return nil, nil
	}
	environment := []string{"PULUMI_NODEJS_DRY_RUN=" + strconv.FormatBool(stack.GetDryRun())}
	add := func(name, value string) {
		if value != "" {
			environment = append(environment, name+"="+value)
		}
	}
	add("PULUMI_NODEJS_ORGANIZATION", stack.GetOrganization())
	add("PULUMI_NODEJS_PROJECT", stack.GetProject())
	add("PULUMI_NODEJS_STACK", stack.GetStack())
	if stack.GetConfig() != nil {
		encoded, err := json.Marshal(stack.GetConfig())
		if err != nil {
			return nil, err
		}
		add("PULUMI_CONFIG", string(encoded))
	}
	return environment, nil
}
