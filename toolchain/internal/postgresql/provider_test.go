package postgresql

import (
	"slices"
	"testing"

	tfshim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

func TestProviderIsValidAndComplete(t *testing.T) {
	provider := Provider()
	if err := provider.P.InternalValidate(); err != nil {
		t.Error(err)
	}
	var unmapped []string
	provider.P.ResourcesMap().Range(func(name string, _ tfshim.Resource) bool {
		if mapped := provider.Resources[name]; mapped == nil || mapped.Tok == "" {
			unmapped = append(unmapped, name)
		}
		return true
	})
	slices.Sort(unmapped)
	if len(unmapped) > 0 {
		t.Errorf("resources without a token: %q", unmapped)
	}
}

func TestGrantIsRevokedBeforeItIsReplaced(t *testing.T) {
	if grant := Provider().Resources["postgresql_grant"]; !grant.DeleteBeforeReplace {
		t.Error("the old grant's deletion takes the new grant away")
	}
}
