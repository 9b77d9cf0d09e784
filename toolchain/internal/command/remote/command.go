// Package remote runs commands on, and copies files to, other hosts over SSH.
package remote

import (
	"context"

	"holdfast/toolchain/internal/command/output"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command is the resource `command:remote:Command`.
type Command struct{}

// CommandInputs are its inputs, named as in the official SDK.
type CommandInputs struct {
	Connection             Connection         `pulumi:"connection" provider:"secret"`
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Logging                *output.Logging    `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

// CommandState is what is kept of a command.
type CommandState struct {
	CommandInputs
	output.Result
}

// Annotate describes the resource in the schema.
func (command *Command) Annotate(annotator infer.Annotator) {
	annotator.Describe(&command, "A command to run on a remote host over SSH.")
}

// Annotate describes the inputs in the schema.
func (inputs *CommandInputs) Annotate(annotator infer.Annotator) {
	annotator.Describe(&inputs.Connection, "How to connect to the remote host.")
	annotator.Describe(&inputs.Create, "The command to run on creation, and on updates that have no `update`.")
	annotator.Describe(&inputs.Update, "The command to run when an input changed.")
	annotator.Describe(&inputs.Delete, "The command to run on deletion.")
	annotator.Describe(&inputs.Triggers, "Values of any type; a change of one replaces the resource.")
	annotator.Describe(&inputs.Stdin, "What the command reads from standard input.")
	annotator.Describe(&inputs.Environment,
		"Additional environment variables, which the SSH server must accept (AcceptEnv).")
	annotator.Describe(&inputs.Logging, "Which streams are shown while the command runs; by default both.")
	annotator.Describe(&inputs.AddPreviousOutputInEnv,
		"Whether the next run finds what the last one printed in "+output.PreviousStdout+" and "+
			output.PreviousStderr+", if the SSH server accepts them; true by default.")
}

// Create runs `create`, if there is one.
func (*Command) Create(
	ctx context.Context, request infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandState], error) {
	response := infer.CreateResponse[CommandState]{Output: CommandState{CommandInputs: request.Inputs}}
	id, err := resource.NewUniqueHex(request.Name, 8, 0)
	if err != nil {
		return response, err
	}
	response.ID = id
	if request.DryRun || request.Inputs.Create == nil {
		return response, nil
	}
	response.Output.Result, err = run(ctx, *request.Inputs.Create, request.Inputs, output.Result{})
	return response, err
}

// Update runs `update`, or `create` if there is none.
func (*Command) Update(
	ctx context.Context, request infer.UpdateRequest[CommandInputs, CommandState],
) (infer.UpdateResponse[CommandState], error) {
	response := infer.UpdateResponse[CommandState]{
		Output: CommandState{CommandInputs: request.Inputs, Result: request.State.Result},
	}
	command := request.Inputs.Update
	if command == nil {
		command = request.Inputs.Create
	}
	if request.DryRun || command == nil {
		return response, nil
	}
	var err error
	response.Output.Result, err = run(ctx, *command, request.Inputs, request.State.Result)
	return response, err
}

// Delete runs `delete`, if there is one, with the inputs of the last successful run.
func (*Command) Delete(
	ctx context.Context, request infer.DeleteRequest[CommandState],
) (infer.DeleteResponse, error) {
	if request.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	_, err := run(ctx, *request.State.Delete, request.State.CommandInputs, request.State.Result)
	return infer.DeleteResponse{}, err
}
