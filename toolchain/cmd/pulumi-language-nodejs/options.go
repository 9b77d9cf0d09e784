package main

import (
	"fmt"

	"github.com/google/shlex"
	"google.golang.org/protobuf/types/known/structpb"
)

// runtimeOptions is the `runtime.options` section of Pulumi.yaml or PulumiPolicy.yaml.
type runtimeOptions struct {
	// typescript makes the SDK register ts-node, so that TypeScript runs without a build.
	typescript bool
	// tsconfig is the path of another tsconfig.json than the one beside the program; empty for that one.
	tsconfig string
	// nodeArguments are handed to node itself.
	nodeArguments []string
}

func parseOptions(options *structpb.Struct) (runtimeOptions, error) {
	parsed := runtimeOptions{typescript: true}
	for name, value := range options.AsMap() {
		var valid bool
		switch name {
		case "typescript":
			parsed.typescript, valid = value.(bool)
		case "tsconfig":
			parsed.tsconfig, valid = value.(string)
		case "nodeargs":
			var line string
			if line, valid = value.(string); valid {
				arguments, err := shlex.Split(line)
				if err != nil {
					return parsed, fmt.Errorf("runtime option nodeargs %q: %w", line, err)
				}
				parsed.nodeArguments = arguments
			}
		default:
			// packagemanager, production and the like concern `pulumi install`, which this host leaves to npm.
			valid = true
		}
		if !valid {
			return parsed, fmt.Errorf("runtime option %s has the wrong type: %v", name, value)
		}
	}
	return parsed, nil
}

// environment is what the SDK's run scripts read these options from.
func (options runtimeOptions) environment() []string {
	var environment []string
	if options.typescript {
		environment = append(environment, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	if options.tsconfig != "" {
		environment = append(environment, "PULUMI_NODEJS_TSCONFIG_PATH="+options.tsconfig)
	}
	return environment
}
