package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"holdfast/toolchain/internal/command/output"
)

// interruptGrace is how long a command that was interrupted may take to clean up before it is killed.
const interruptGrace = 10 * time.Second

// run runs one command to its end. Its error carries the exit code, the command line and all that was printed.
func run(ctx context.Context, command string, inputs CommandInputs, previous output.Result) (output.Result, error) {
	if err := checkDirectory(inputs.Dir); err != nil {
		return previous, err
	}
	process := build(ctx, command, inputs, previous)
	capture := output.NewCapture(inputs.Logging, output.ShowStatus(ctx))
	process.Stdout, process.Stderr = capture.Stdout, capture.Stderr
	stopKilling := interruptible(process)
	err := process.Run()
	stopKilling()
	capture.Finish()
	if err != nil {
		return previous, fmt.Errorf("%w: running %q:\n%s", err, command, capture.Together())
	}
	stdout, stderr := capture.Outputs()
	return output.Result{Stdout: stdout, Stderr: stderr}, nil
}

// checkDirectory says what the system wouldn't: that it is the directory that is missing, not the interpreter.
func checkDirectory(directory *string) error {
	if directory == nil {
		return nil
	}
	info, err := os.Stat(*directory)
	if err != nil {
		return fmt.Errorf("the command's working directory: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("the command's working directory %s is a file", *directory)
	}
	return nil
}

func build(ctx context.Context, command string, inputs CommandInputs, previous output.Result) *exec.Cmd {
	interpreter := []string{"/bin/sh", "-c"}
	if inputs.Interpreter != nil && len(*inputs.Interpreter) > 0 {
		interpreter = *inputs.Interpreter
	}
	arguments := append(append([]string{}, interpreter[1:]...), command)
	process := exec.CommandContext(ctx, interpreter[0], arguments...)
	if inputs.Dir != nil {
		process.Dir = *inputs.Dir
	}
	process.Env = os.Environ()
	if inputs.Environment != nil {
		process.Env = appendVariables(process.Env, *inputs.Environment)
	}
	process.Env = appendVariables(process.Env, previous.Environment(inputs.AddPreviousOutputInEnv))
	if inputs.Stdin != nil {
		process.Stdin = strings.NewReader(*inputs.Stdin)
	}
	return process
}

// interruptible puts the process into a group of its own, so that an interrupt reaches what the interpreter started,
// too. The function it returns must be called when the process has ended.
func interruptible(process *exec.Cmd) (stopKilling func()) {
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	signal := func(signal syscall.Signal) error { return syscall.Kill(-process.Process.Pid, signal) }
	ended, end := context.WithCancel(context.Background())
	process.Cancel = func() error {
		timer := time.AfterFunc(interruptGrace, func() { _ = signal(syscall.SIGKILL) })
		context.AfterFunc(ended, func() { timer.Stop() })
		return signal(syscall.SIGINT)
	}
	return end
}

func appendVariables(environment []string, variables map[string]string) []string {
	for name, value := range variables {
		environment = append(environment, name+"="+value)
	}
	return environment
}
