package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"holdfast/toolchain/internal/command/output"
)

func pointer[T any](value T) *T { return &value }

func mustRun(t *testing.T, command string, inputs CommandInputs, previous output.Result) output.Result {
	t.Helper()
	result, err := run(t.Context(), command, inputs, previous)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCommandReadsItsInputsAndItsStreamsAreKeptApart(t *testing.T) {
	directory, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	result := mustRun(t, `cat; echo " $NAME"; pwd; echo problem >&2`, CommandInputs{
		Stdin:       pointer("input"),
		Environment: &map[string]string{"NAME": "value of 'NAME'"},
		Dir:         &directory,
	}, output.Result{})
	if expected := "input value of 'NAME'\n" + directory; result.Stdout != expected {
		t.Errorf("stdout %q, expected %q", result.Stdout, expected)
	}
	if result.Stderr != "problem" {
		t.Errorf("stderr %q", result.Stderr)
	}
}

func TestCommandWithoutInputFindsItsEnd(t *testing.T) {
	if result := mustRun(t, "cat; echo end", CommandInputs{}, output.Result{}); result.Stdout != "end" {
		t.Errorf("stdout %q", result.Stdout)
	}
}

func TestInterpreterGetsTheCommandAsItsLastArgument(t *testing.T) {
	inputs := CommandInputs{Interpreter: &[]string{"/bin/sh", "-ec", `printf '%s|' "$@"`, "zero", "one"}}
	if result := mustRun(t, "the $command", inputs, output.Result{}); result.Stdout != "one|the $command|" {
		t.Errorf("stdout %q", result.Stdout)
	}
}

func TestPreviousOutputIsInTheEnvironment(t *testing.T) {
	previous := output.Result{Stdout: "before", Stderr: "warned"}
	command := `echo "$PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR"`
	if result := mustRun(t, command, CommandInputs{}, previous); result.Stdout != "before warned" {
		t.Errorf("stdout %q", result.Stdout)
	}
}

func TestFailureNamesExitCodeCommandAndOutput(t *testing.T) {
	previous := output.Result{Stdout: "before"}
	result, err := run(t.Context(), "echo shown; echo reason >&2; exit 7", CommandInputs{}, previous)
	if err == nil {
		t.Fatal("exit code 7 is no failure")
	}
	for _, expected := range []string{"exit status 7", `"echo shown; echo reason >&2; exit 7"`, "shown\n", "reason\n"} {
		if !strings.Contains(err.Error(), expected) {
			t.Errorf("the message lacks %q: %s", expected, err)
		}
	}
	if result != previous {
		t.Errorf("a failure changes the result to %+v", result)
	}
}

func TestMissingDirectoryFails(t *testing.T) {
	_, err := run(t.Context(), "true", CommandInputs{Dir: pointer("/nowhere/at/all")}, output.Result{})
	if err == nil || !strings.Contains(err.Error(), "/nowhere/at/all") {
		t.Errorf("error %v", err)
	}
}

func TestCancelInterruptsWhatTheShellStartedToo(t *testing.T) {
	directory := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	started := filepath.Join(directory, "started")
	cleaned := filepath.Join(directory, "cleaned")
	command := `sh -c "trap 'touch ` + cleaned + `; exit 130' INT; touch ` + started + `; while :; do sleep 0.05; done"; true`
	ended := make(chan error, 1)
	go func() {
		_, err := run(ctx, command, CommandInputs{}, output.Result{})
		ended <- err
	}()
	waitForFile(t, started)
	cancel()
	if err := <-ended; err == nil {
		t.Error("a cancelled command is a success")
	}
	if _, err := os.Stat(cleaned); err != nil {
		t.Error("the shell's child had no chance to clean up")
	}
}

func waitForFile(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
	}
	t.Fatalf("%s never came", name)
}
