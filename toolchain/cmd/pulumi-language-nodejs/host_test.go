package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// program makes a directory whose @pulumi/pulumi runs the given JavaScript in place of a program.
func program(t *testing.T, script string) string {
	t.Helper()
	directory := t.TempDir()
	write(t, filepath.Join(directory, "node_modules/@pulumi/pulumi/cmd/run/index.js"), script)
	return directory
}

func write(t *testing.T, name, contents string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
}

func startHost(t *testing.T) *languageHost {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return newHost(ctx, cancel, "engine:1", "")
}

func request(t *testing.T, directory string, options map[string]any) *pulumirpc.RunRequest {
	t.Helper()
	encoded, err := structpb.NewStruct(options)
	if err != nil {
		t.Fatal(err)
	}
	return &pulumirpc.RunRequest{
		Project: "project", Stack: "stack", Organization: "organization", MonitorAddress: "monitor:2", DryRun: true,
		Parallel: 3, Args: []string{"argument"},
		Config:           map[string]string{"project:key": "value", "project:secret": "hidden"},
		ConfigSecretKeys: []string{"project:secret"},
		Info: &pulumirpc.ProgramInfo{
			RootDirectory: directory, ProgramDirectory: directory, EntryPoint: ".", Options: encoded,
		},
	}
}

// record is a script that writes down what the SDK would be given.
const record = `require("fs").writeFileSync(process.env.RECORD, JSON.stringify({
	args: process.argv.slice(2), nodeArgs: process.execArgv, config: JSON.parse(process.env.PULUMI_CONFIG),
	secretKeys: JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS),
	typescript: process.env.PULUMI_NODEJS_TYPESCRIPT, tsconfig: process.env.PULUMI_NODEJS_TSCONFIG_PATH }));`

type recorded struct {
	Args, NodeArgs, SecretKeys []string
	Config                     map[string]string
	TypeScript, TSConfig       string
}

func runRecorded(t *testing.T, change func(*pulumirpc.RunRequest), options map[string]any) recorded {
	t.Helper()
	directory := program(t, record)
	file := filepath.Join(directory, "record")
	t.Setenv("RECORD", file)
	run := request(t, directory, options)
	change(run)
	response, err := startHost(t).Run(t.Context(), run)
	if err != nil || response.GetError() != "" || response.GetBail() {
		t.Fatalf("response %v, error %v", response, err)
	}
	contents, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var seen recorded
	if err := json.Unmarshal(contents, &seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestProgramGetsItsStackAndConfiguration(t *testing.T) {
	seen := runRecorded(t, func(*pulumirpc.RunRequest) {}, nil)
	line := strings.Join(seen.Args, " ")
	for _, expected := range []string{
		"--monitor monitor:2", "--engine engine:1", "--organization organization", "--project project", "--stack stack",
		"--dry-run", "--parallel 3",
	} {
		if !strings.Contains(line, expected) {
			t.Errorf("the arguments lack %q: %s", expected, line)
		}
	}
	if !strings.HasSuffix(line, " . argument") {
		t.Errorf("entry point and arguments aren't last: %s", line)
	}
	if seen.Config["project:config:key"] != "value" || seen.Config["project:config:secret"] != "hidden" {
		t.Errorf("configuration %v", seen.Config)
	}
	if !slices.Equal(seen.SecretKeys, []string{"project:secret"}) {
		t.Errorf("secret keys %v", seen.SecretKeys)
	}
	if seen.TypeScript != "true" || seen.TSConfig != "" {
		t.Errorf("typescript %q, tsconfig %q", seen.TypeScript, seen.TSConfig)
	}
}

func TestNoConfigurationIsAnEmptyObject(t *testing.T) {
	seen := runRecorded(t, func(run *pulumirpc.RunRequest) { run.Config, run.ConfigSecretKeys = nil, nil }, nil)
	if seen.Config == nil || len(seen.Config) != 0 || seen.SecretKeys == nil {
		t.Errorf("configuration %v, secret keys %v", seen.Config, seen.SecretKeys)
	}
}

func TestRuntimeOptionsAreHonoured(t *testing.T) {
	seen := runRecorded(t, func(*pulumirpc.RunRequest) {}, map[string]any{
		"typescript": false, "tsconfig": "other.json", "nodeargs": "--no-warnings '--title=a b'", "packagemanager": "npm",
	})
	if seen.TypeScript != "" || seen.TSConfig != "other.json" {
		t.Errorf("typescript %q, tsconfig %q", seen.TypeScript, seen.TSConfig)
	}
	if expected := []string{"--no-warnings", "--title=a b"}; !slices.Equal(seen.NodeArgs, expected) {
		t.Errorf("node's arguments %q, expected %q", seen.NodeArgs, expected)
	}
}

func TestRuntimeOptionOfTheWrongTypeIsAnError(t *testing.T) {
	response, err := startHost(t).Run(t.Context(), request(t, program(t, ""), map[string]any{"typescript": "yes"}))
	if err != nil || !strings.Contains(response.GetError(), "typescript") {
		t.Errorf("response %v, error %v", response, err)
	}
}

func TestHowAProgramEndsIsTold(t *testing.T) {
	for script, expected := range map[string]*pulumirpc.RunResponse{
		"":                                     {},
		"process.exit(32)":                     {Bail: true},
		"process.exit(3)":                      {Error: "the program exited with code 3"},
		"process.kill(process.pid, 'SIGKILL')": {Error: "the program did not run to its end: signal: killed"},
	} {
		response, err := startHost(t).Run(t.Context(), request(t, program(t, script), nil))
		if err != nil || response.GetError() != expected.GetError() || response.GetBail() != expected.GetBail() {
			t.Errorf("%q: response %v, error %v", script, response, err)
		}
	}
}

func TestMissingSDKSaysWhatToDo(t *testing.T) {
	response, err := startHost(t).Run(t.Context(), request(t, t.TempDir(), nil))
	if err != nil || !strings.Contains(response.GetError(), "npm ci") {
		t.Errorf("response %v, error %v", response, err)
	}
}

func TestCancelInterruptsTheProgramAndTheHostStaysToTell(t *testing.T) {
	directory := program(t, `process.on("SIGINT", () => process.exit(4)); setInterval(() => {}, 1000);
		require("fs").writeFileSync("started", "");`)
	t.Chdir(directory)
	host := startHost(t)
	ended := make(chan *pulumirpc.RunResponse, 1)
	go func() {
		response, _ := host.Run(context.Background(), request(t, directory, nil))
		ended <- response
	}()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat("started"); err == nil {
			break
		}
	}
	if _, err := host.Cancel(t.Context(), &emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	if response := <-ended; response.GetError() != "the program exited with code 4" {
		t.Errorf("response %v", response)
	}
	if host.lifetime.Err() != nil {
		t.Error("the host stopped serving")
	}
}

func TestInstalledSDKsNameTheirPlugins(t *testing.T) {
	directory := t.TempDir()
	install := installer(t, directory)
	install("@pulumi/command", `{"name": "@pulumi/command", "version": "1.2.1", "pulumi": {"resource": true, "name": "command"}}`)
	install("@pulumi/random", `{"name": "@pulumi/random", "version": "v4.0.0", "pulumi": {"resource": true}}`)
	install("third", `{"name": "third", "version": "1.0.0", "pulumi": {"resource": true, "name": "own", "version": "2.0.0"}}`)
	install("@pulumi/pulumi", `{"name": "@pulumi/pulumi", "version": "3.0.0"}`)
	install("broken", `{`)
	write(t, filepath.Join(directory, "node_modules", "stray-file"), "")
	inner := filepath.Join(directory, "packages", "program")
	write(t, filepath.Join(inner, "node_modules/@pulumi/command/package.json"),
		`{"name": "@pulumi/command", "version": "1.2.1", "pulumi": {"resource": true, "name": "command"}}`)

	expected := []string{"resource command v1.2.1", "resource own v2.0.0", "resource random v4.0.0"}
	if found := required(t, inner); !slices.Equal(found, expected) {
		t.Errorf("found %q, expected %q", found, expected)
	}
}

func TestOptionalSDKsAreNotAskedForInAdvance(t *testing.T) {
	directory := t.TempDir()
	install := installer(t, directory)
	install("@pulumi/aws", `{"name": "@pulumi/aws", "version": "7.48.0", "pulumi": {"resource": true, "name": "aws"}}`)
	install("@pulumi/command", `{"name": "@pulumi/command", "version": "1.2.1", "pulumi": {"resource": true, "name": "command"}}`)
	all := []string{"resource aws v7.48.0", "resource command v1.2.1"}
	if found := required(t, directory); !slices.Equal(found, all) {
		t.Errorf("without a manifest found %q, expected %q", found, all)
	}
	write(t, filepath.Join(directory, "package.json"), `{"dependencies": {"@pulumi/command": "1.2.1", "@pulumi/aws": "7.48.0"}}`)
	if found := required(t, directory); !slices.Equal(found, all) {
		t.Errorf("as dependencies found %q, expected %q", found, all)
	}
	write(t, filepath.Join(directory, "package.json"), `{"optionalDependencies": {"@pulumi/aws": "7.48.0"}}`)
	if found, expected := required(t, directory), all[1:]; !slices.Equal(found, expected) {
		t.Errorf("as an optional dependency found %q, expected %q", found, expected)
	}
}

func TestUnreadableManifestIsAnError(t *testing.T) {
	directory := t.TempDir()
	write(t, filepath.Join(directory, "package.json"), `{`)
	_, err := startHost(t).GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{
		Info: &pulumirpc.ProgramInfo{ProgramDirectory: directory},
	})
	if err == nil || !strings.Contains(err.Error(), "package.json") {
		t.Errorf("error %v", err)
	}
}

// installer puts npm packages beside the program in a directory.
func installer(t *testing.T, directory string) func(name, manifest string) {
	t.Helper()
	return func(name, manifest string) {
		write(t, filepath.Join(directory, "node_modules", name, "package.json"), manifest)
	}
}

// required is what the engine is told to load for the program in a directory.
func required(t *testing.T, directory string) []string {
	t.Helper()
	response, err := startHost(t).GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{
		Info: &pulumirpc.ProgramInfo{ProgramDirectory: directory},
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, dependency := range response.GetPackages() {
		found = append(found, dependency.GetKind()+" "+dependency.GetName()+" "+dependency.GetVersion())
	}
	slices.Sort(found)
	return found
}

func TestPolicyPackSeesTheStackThatItJudges(t *testing.T) {
	environment, err := policyEnvironment(&pulumirpc.AnalyzerStackConfigureRequest{
		Stack: "stack", Project: "project", DryRun: false, Config: map[string]string{"project:key": "value"},
	})
	if err != nil {
		t.Fatal(err)
	}
	expected := []string{
		"PULUMI_NODEJS_DRY_RUN=false", "PULUMI_NODEJS_PROJECT=project", "PULUMI_NODEJS_STACK=stack",
		`PULUMI_CONFIG={"project:key":"value"}`,
	}
	if !slices.Equal(environment, expected) {
		t.Errorf("%q, expected %q", environment, expected)
	}
	if environment, err := policyEnvironment(nil); err != nil || environment != nil {
		t.Errorf("without a stack: %q, error %v", environment, err)
	}
}
