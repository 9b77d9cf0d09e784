package output

import "github.com/pulumi/pulumi-go-provider/infer"

// The variables in which the next run of a resource's command finds what the last one printed.
const (
	PreviousStdout = "PULUMI_COMMAND_STDOUT"
	PreviousStderr = "PULUMI_COMMAND_STDERR"
)

// Result is what a command's last run printed.
type Result struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Annotate describes the fields in the schema.
func (result *Result) Annotate(annotator infer.Annotator) {
	annotator.Describe(&result.Stdout, "The standard output of the command's process")
	annotator.Describe(&result.Stderr, "The standard error of the command's process")
}

// Environment is the result as the next run finds it, unless addPreviousOutputInEnv is false. What was empty is unset.
func (result Result) Environment(addPreviousOutputInEnv *bool) map[string]string {
	environment := map[string]string{}
	if addPreviousOutputInEnv != nil && !*addPreviousOutputInEnv {
		return environment
	}
	if result.Stdout != "" {
		environment[PreviousStdout] = result.Stdout
	}
	if result.Stderr != "" {
		environment[PreviousStderr] = result.Stderr
	}
	return environment
}
