package remote

import (
	"context"
	"fmt"
	"strings"

	"holdfast/toolchain/internal/command/output"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
)

// run runs one command to its end. Its error carries the exit code, the command line and all that was printed.
func run(ctx context.Context, command string, inputs CommandInputs, previous output.Result) (output.Result, error) {
	client, err := inputs.Connection.dial(ctx)
	if err != nil {
		return previous, err
	}
	defer client.close()
	session, err := client.NewSession()
	if err != nil {
		return previous, fmt.Errorf("open a session on %s: %w", inputs.Connection, err)
	}
	defer session.Close()
	if err := setEnvironment(ctx, session, inputs, previous); err != nil {
		return previous, err
	}
	if inputs.Stdin != nil {
		session.Stdin = strings.NewReader(*inputs.Stdin)
	}
	capture := output.NewCapture(inputs.Logging, output.ShowStatus(ctx))
	session.Stdout, session.Stderr = capture.Stdout, capture.Stderr
	// The protocol has no reliable way to interrupt a command; without its connection it gets a hang-up.
	stopClosing := context.AfterFunc(ctx, client.close)
	defer stopClosing()
	err = session.Run(command)
	capture.Finish()
	if err != nil {
		return previous, fmt.Errorf("%w: running %q:\n%s", err, command, capture.Together())
	}
	stdout, stderr := capture.Outputs()
	return output.Result{Stdout: stdout, Stderr: stderr}, nil
}

// setEnvironment fails for a variable that the server refuses, unless it only carries the previous output.
func setEnvironment(ctx context.Context, session *ssh.Session, inputs CommandInputs, previous output.Result) error {
	if inputs.Environment != nil {
		for name, value := range *inputs.Environment {
			if err := session.Setenv(name, value); err != nil {
				return fmt.Errorf("%s does not accept the environment variable %s: "+
					"allow it with AcceptEnv in its sshd_config, or put %s=… before the command: %w",
					inputs.Connection, name, name, err)
			}
		}
	}
	for name, value := range previous.Environment(inputs.AddPreviousOutputInEnv) {
		if err := session.Setenv(name, value); err != nil {
			p.GetLogger(ctx).Debugf("%s does not accept %s: %s", inputs.Connection, name, err)
		}
	}
	return nil
}
