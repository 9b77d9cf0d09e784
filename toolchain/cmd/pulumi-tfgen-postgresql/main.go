// Command pulumi-tfgen-postgresql writes the schema that pulumi-resource-postgresql embeds: run `go generate ./...`
// after a change of the provider's version or mapping.
package main

import (
	"holdfast/toolchain/internal/postgresql"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
)

func main() {
	tfgen.Main(postgresql.Name, postgresql.Version, postgresql.Provider())
}
