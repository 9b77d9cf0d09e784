// Command pulumi-resource-command is the Pulumi plugin `command`: it runs commands, here and over SSH, when resources
// are created, updated and deleted.
package main

import (
	"context"
	"fmt"
	"os"

	"holdfast/toolchain/internal/command"
)

func main() {
	provider, err := command.Provider()
	if err == nil {
		err = provider.Run(context.Background(), command.Name, command.Version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
