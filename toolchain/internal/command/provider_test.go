package command

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const localURN = resource.URN("urn:pulumi:stack::project::command:local:Command::name")

func serve(t *testing.T) integration.Server {
	t.Helper()
	provider, err := Provider()
	if err != nil {
		t.Fatal(err)
	}
	server, err := integration.NewServer(t.Context(), Name, semver.MustParse(Version), integration.WithProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func text(values map[string]string) property.Map {
	converted := map[string]property.Value{}
	for name, value := range values {
		converted[name] = property.New(value)
	}
	return property.NewMap(converted)
}

func TestPackageHasTheTokensOfTheOfficialSDK(t *testing.T) {
	response, err := serve(t).GetSchema(p.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Resources map[string]any }
	if err := json.Unmarshal([]byte(response.Schema), &schema); err != nil {
		t.Fatal(err)
	}
	tokens := slices.Sorted(maps.Keys(schema.Resources))
	if expected := []string{
		"command:local:Command", "command:remote:Command", "command:remote:CopyToRemote",
	}; !slices.Equal(tokens, expected) {
		t.Errorf("resources %q, expected %q", tokens, expected)
	}
}

func TestUnsupportedInputsAreRefusedNotIgnored(t *testing.T) {
	server := serve(t)
	for _, name := range []string{"assetPaths", "archivePaths"} {
		paths := property.New(property.NewArray([]property.Value{property.New("*.txt")}))
		response, err := server.Check(p.CheckRequest{
			Urn: localURN, Inputs: property.NewMap(map[string]property.Value{name: paths}),
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(response.Failures) != 1 || response.Failures[0].Property != name {
			t.Errorf("%s: failures %+v", name, response.Failures)
		}
	}
}

func TestTriggersReplaceAndEverythingElseUpdates(t *testing.T) {
	server := serve(t)
	list := func(value string) property.Map {
		values := property.NewArray([]property.Value{property.New(value)})
		return property.NewMap(map[string]property.Value{"triggers": property.New(values)})
	}
	for name, test := range map[string]struct {
		before, after property.Map
		kind          p.DiffKind
	}{
		"first trigger": {property.NewMap(nil), list("a"), p.AddReplace},
		"create":        {text(map[string]string{"create": "a"}), text(map[string]string{"create": "b"}), p.Update},
		"stdin":         {text(map[string]string{"stdin": "a"}), text(map[string]string{"stdin": "b"}), p.Update},
		"dir":           {text(map[string]string{}), text(map[string]string{"dir": "/"}), p.Add},
		"delete":        {text(map[string]string{"delete": "a"}), text(map[string]string{}), p.Delete},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := server.Diff(p.DiffRequest{
				Urn: localURN, ID: "id", OldInputs: test.before, State: test.before, Inputs: test.after,
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(response.DetailedDiff) != 1 {
				t.Fatalf("differences %+v", response.DetailedDiff)
			}
			for _, difference := range response.DetailedDiff {
				if difference.Kind != test.kind {
					t.Errorf("%s, expected %s", difference.Kind, test.kind)
				}
			}
		})
	}
}

func TestSecretInputsAreSecretInTheState(t *testing.T) {
	secret := property.New("hidden").WithSecret(true)
	inputs := property.NewMap(map[string]property.Value{
		"create": property.New("cat"), "stdin": secret,
	})
	created, err := serve(t).Create(p.CreateRequest{Urn: localURN, Properties: inputs})
	if err != nil {
		t.Fatal(err)
	}
	if stdin := created.Properties.Get("stdin"); !stdin.Secret() || stdin.AsString() != "hidden" {
		t.Error("the secret standard input is in clear")
	}
	// As with the official plugin: what a command prints is for its author to declare secret.
	if stdout := created.Properties.Get("stdout"); stdout.Secret() || stdout.AsString() != "hidden" {
		t.Errorf("stdout %#v", stdout)
	}
}

func TestPreviewRunsNothing(t *testing.T) {
	inputs := text(map[string]string{"create": "exit 1"})
	created, err := serve(t).Create(p.CreateRequest{Urn: localURN, Properties: inputs, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if !created.Properties.Get("stdout").IsComputed() {
		t.Error("stdout is known before the command ran")
	}
}
