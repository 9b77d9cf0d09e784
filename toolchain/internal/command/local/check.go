package local

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Check refuses inputs that would otherwise be ignored silently.
func (*Command) Check(
	ctx context.Context, request infer.CheckRequest,
) (infer.CheckResponse[CommandInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CommandInputs](ctx, request.NewInputs)
	refuse := func(property string, paths *[]string) {
		if paths != nil && len(*paths) > 0 {
			failures = append(failures, p.CheckFailure{
				Property: property,
				Reason:   "not supported by this build of the command plugin; the official plugin has it",
			})
		}
	}
	refuse("assetPaths", inputs.AssetPaths)
	refuse("archivePaths", inputs.ArchivePaths)
	return infer.CheckResponse[CommandInputs]{Inputs: inputs, Failures: failures}, err
}
