// Package command is the Pulumi package `command`, with the tokens and semantics of the official `@pulumi/command` SDK.
package command

import (
	"holdfast/toolchain/internal/command/local"
	"holdfast/toolchain/internal/command/remote"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

const (
	// Name is the Pulumi package.
	Name = "command"
	// Version is the version of the official plugin whose place this one fills, and of its SDK.
	Version = "1.2.1"
)

// Provider serves the package's resources.
func Provider() (p.Provider, error) {
	return infer.NewProviderBuilder().
		WithDescription("Runs commands and copies files as part of the Pulumi resource model.").
		WithLicense("Apache-2.0").
		WithResources(
			infer.Resource(&local.Command{}),
			infer.Resource(&remote.Command{}),
			infer.Resource(&remote.CopyToRemote{}),
		).
		Build()
}
