// Package output captures what commands print, and shows it while they run.
package output

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
)

// Logging says which of a command's streams are shown while it runs. It doesn't change what is captured as outputs.
type Logging string

// The values of Logging, as in the official SDK.
const (
	Stdout          Logging = "stdout"
	Stderr          Logging = "stderr"
	StdoutAndStderr Logging = "stdoutAndStderr"
	None            Logging = "none"
)

// Values makes Logging an enumeration of the package's schema.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: "Stdout", Value: Stdout, Description: "Show standard output only"},
		{Name: "Stderr", Value: Stderr, Description: "Show standard error only"},
		{Name: "StdoutAndStderr", Value: StdoutAndStderr, Description: "Show both"},
		{Name: "None", Value: None, Description: "Show nothing"},
	}
}

func (logging *Logging) showsStdout() bool {
	return logging == nil || *logging == Stdout || *logging == StdoutAndStderr
}

func (logging *Logging) showsStderr() bool {
	return logging == nil || *logging == Stderr || *logging == StdoutAndStderr
}

// ShowStatus shows a line at the resource in the progress display.
func ShowStatus(ctx context.Context) func(string) { return p.GetLogger(ctx).InfoStatus }
