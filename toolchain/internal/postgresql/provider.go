// Package postgresql maps the upstream Terraform provider to the Pulumi package `postgresql`, with the names of the
// official `@pulumi/postgresql` SDK.
package postgresql

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	upstream "github.com/terraform-providers/terraform-provider-postgresql/postgresql"
)

const (
	// Name is the Pulumi package.
	Name = "postgresql"
	// Version is the version of the official plugin whose place this one fills, and of its SDK.
	Version = "3.18.1"
	// connectTimeoutSeconds is the official plugin's default.
	connectTimeoutSeconds = 180
	// longestName is the longest name that autonaming makes up; PostgreSQL itself cuts identifiers at 63 bytes.
	longestName = 255
)

// Provider describes the package to the bridge.
func Provider() tfbridge.ProviderInfo {
	provider := tfbridge.ProviderInfo{
		P:           shim.NewProvider(upstream.Provider()),
		Name:        Name,
		Version:     Version,
		Description: "Creates and manages roles, databases, schemas and grants in PostgreSQL.",
		License:     "Apache-2.0",
		GitHubOrg:   "cyrilgdn",
		Config: map[string]*tfbridge.SchemaInfo{
			"sslmode": {Default: &tfbridge.DefaultInfo{EnvVars: []string{"PGSSLMODE"}}},
			"connect_timeout": {Default: &tfbridge.DefaultInfo{
				EnvVars: []string{"PGCONNECT_TIMEOUT"}, Value: connectTimeoutSeconds,
			}},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			// Two grants on the same objects would fight, the old one's deletion last.
			"postgresql_grant": {DeleteBeforeReplace: true},
		},
	}
	standard := tokens.MakeStandard(Name)
	// The SDK knows the resource by its first, misspelt name too.
	provider.RenameResourceWithAlias("postgresql_default_privileges",
		Name+":index/defaultPrivileg:DefaultPrivileg", Name+":index/defaultPrivileges:DefaultPrivileges",
		"index", "index", &tfbridge.ResourceInfo{})
	provider.MustComputeTokens(tokens.SingleModule("postgresql_", "index", standard))
	provider.SetAutonaming(longestName, "-")
	return provider
}
