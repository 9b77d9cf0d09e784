// Command pulumi-resource-postgresql is the Pulumi plugin `postgresql`: the upstream Terraform provider behind Pulumi's
// bridge.
package main

import (
	_ "embed"

	"holdfast/toolchain/internal/postgresql"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

//go:generate go run ../pulumi-tfgen-postgresql schema --skip-docs --skip-examples --out .

//go:embed schema.json
var schema []byte

func main() {
	tfbridge.Main(postgresql.Name, postgresql.Version, postgresql.Provider(), schema)
}
