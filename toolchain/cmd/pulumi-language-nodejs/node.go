package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// alreadyReported is the exit code with which the SDK says that it has told the user what is wrong.
const alreadyReported = 32

// interruptGrace is how long an interrupted program may take to end before it is killed.
const interruptGrace = 5 * time.Second

func findNode() (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", fmt.Errorf("find Node.js: %w", err)
	}
	return node, nil
}

// locateModule resolves a module of the Pulumi SDK as the program in the given directory would.
func locateModule(ctx context.Context, node, module, directory string) (string, error) {
	resolve := exec.CommandContext(ctx, node, "-p", "require.resolve(process.argv[1])", module)
	resolve.Dir = directory
	path, err := resolve.Output()
	if err != nil {
		return "", fmt.Errorf(
			"the Pulumi SDK (@pulumi/pulumi) is not installed for %s: run `npm ci` there: %w", directory, err)
	}
	return strings.TrimSpace(string(path)), nil
}

// interruptible makes the command end as on Ctrl-C, so that it can clean up, and be killed when it doesn't.
func interruptible(command *exec.Cmd) {
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = interruptGrace
}

// exitCode is the code a command ended with, false if it never ran or was ended by a signal.
func exitCode(err error) (int, bool) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), true
	}
	return 0, false
}
