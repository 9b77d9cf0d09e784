// Command pulumi-language-nodejs runs Pulumi programs, policy packs and plugins written for Node.js.
//
// The Pulumi command line starts it, reads the port of its gRPC server from the first line of standard output, and
// asks it to run a program; the real work is done by the `@pulumi/pulumi` package beside that program.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-nodejs:", err)
		os.Exit(1)
	}
}

func serve() error {
	flags := flag.NewFlagSet("pulumi-language-nodejs", flag.ExitOnError)
	tracing := flags.String("tracing", "", "tracing endpoint, handed on to the program")
	runtime := flags.String("runtime", "nodejs", "only nodejs is supported")
	showVersion := flags.Bool("version", false, "print the version and exit")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return err
	}
	if *showVersion {
		fmt.Println(version.Version)
		return nil
	}
	if *runtime != "nodejs" {
		return fmt.Errorf("the runtime %q is not supported, only nodejs", *runtime)
	}
	logging.InitLogging(false, 0, false)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	host := newHost(ctx, stop, flags.Arg(0), *tracing)
	if host.engineAddress != "" {
		if err := host.watchEngine(); err != nil {
			return err
		}
	}

	stopServing := make(chan bool)
	context.AfterFunc(ctx, func() { close(stopServing) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stopServing,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
		Options: rpcutil.TracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return fmt.Errorf("start the language host's server: %w", err)
	}
	fmt.Printf("%d\n", handle.Port)
	return <-handle.Done
}
