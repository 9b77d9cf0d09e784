package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/toolchain/internal/command/output"

	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
)

func connect(t *testing.T) Connection {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	signer, key := newKey(t, "")
	return Connection{Endpoint: startServer(t, onlyKey(signer)).endpoint("user", key)}
}

func TestCommandReadsItsInputAndItsStreamsAreKeptApart(t *testing.T) {
	inputs := CommandInputs{
		Connection: connect(t), Stdin: pointer("input"), Environment: &map[string]string{"ACCEPTED_NAME": "it's"},
	}
	result, err := run(t.Context(), `cat; echo " $ACCEPTED_NAME"; echo problem >&2`, inputs, output.Result{})
	if err != nil {
		t.Fatal(err)
	}
	if expected := (output.Result{Stdout: "input it's", Stderr: "problem"}); result != expected {
		t.Errorf("%+v, expected %+v", result, expected)
	}
}

func TestFailureNamesExitCodeCommandAndOutput(t *testing.T) {
	previous := output.Result{Stdout: "before"}
	inputs := CommandInputs{Connection: connect(t)}
	result, err := run(t.Context(), "echo reason >&2; exit 7", inputs, previous)
	if err == nil {
		t.Fatal("exit code 7 is no failure")
	}
	for _, expected := range []string{"status 7", `"echo reason >&2; exit 7"`, "reason\n"} {
		if !strings.Contains(err.Error(), expected) {
			t.Errorf("the message lacks %q: %s", expected, err)
		}
	}
	if result != previous {
		t.Errorf("a failure changes the result to %+v", result)
	}
}

func TestRefusedVariableFailsWithAWayOutAndTheValueIsNotShown(t *testing.T) {
	inputs := CommandInputs{Connection: connect(t), Environment: &map[string]string{"NAME": "secret value"}}
	_, err := run(t.Context(), "true", inputs, output.Result{})
	if err == nil || !strings.Contains(err.Error(), "NAME") || !strings.Contains(err.Error(), "AcceptEnv") {
		t.Fatalf("error %v", err)
	}
	if strings.Contains(err.Error(), "secret value") {
		t.Errorf("the message shows the value: %s", err)
	}
}

func TestPreviousOutputThatTheServerRefusesIsNoFailure(t *testing.T) {
	inputs := CommandInputs{Connection: connect(t)}
	if _, err := run(t.Context(), "true", inputs, output.Result{Stdout: "before"}); err != nil {
		t.Error(err)
	}
}

func TestTextIsCopiedOverWhatWasThere(t *testing.T) {
	target := filepath.Join(t.TempDir(), "new", "file")
	for _, contents := range []string{"a longer text", "short"} {
		source, err := asset.FromText(contents)
		if err != nil {
			t.Fatal(err)
		}
		inputs := CopyInputs{Connection: connect(t), Source: types.AssetOrArchive{Asset: source}, RemotePath: target}
		if err := transfer(t.Context(), inputs); err != nil {
			t.Fatal(err)
		}
		expectFile(t, target, contents)
	}
}

func TestFilesAndDirectoriesGoWhereTheTargetSays(t *testing.T) {
	connection := connect(t)
	source := filepath.Join(t.TempDir(), "source")
	writeFile(t, filepath.Join(source, "sub", "file"), "contents")
	copied := func(from, to string) error {
		upload := CopyInputs{Connection: connection, RemotePath: to}
		if info, err := os.Stat(from); err == nil && info.IsDir() {
			upload.Source.Archive = &archive.Archive{Path: from}
		} else {
			upload.Source.Asset = &asset.Asset{Path: from}
		}
		return transfer(t.Context(), upload)
	}
	target := t.TempDir()
	file := filepath.Join(source, "sub", "file")
	for _, test := range []struct{ from, to, lands string }{
		{file, target, filepath.Join(target, "file")},
		{file, filepath.Join(target, "renamed"), filepath.Join(target, "renamed")},
		{source, target, filepath.Join(target, "source", "sub", "file")},
		{source + "/", target, filepath.Join(target, "sub", "file")},
		{source, filepath.Join(target, "new"), filepath.Join(target, "new", "source", "sub", "file")},
	} {
		if err := copied(test.from, test.to); err != nil {
			t.Fatal(err)
		}
		expectFile(t, test.lands, "contents")
	}
	if err := copied(source+"/", filepath.Join(target, "renamed")); err == nil {
		t.Error("a directory replaces a file")
	}
	if err := copied(filepath.Join(source, "missing"), target); err == nil {
		t.Error("a missing file is copied")
	}
}

func writeFile(t *testing.T, name, contents string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
}

func expectFile(t *testing.T, name, contents string) {
	t.Helper()
	found, err := os.ReadFile(name)
	if err != nil {
		t.Error(err)
	} else if string(found) != contents {
		t.Errorf("%s has %q, expected %q", name, found, contents)
	}
}
