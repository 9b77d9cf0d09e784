package remote

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/pkg/sftp"
)

// CopyToRemote is the resource `command:remote:CopyToRemote`. Deletion leaves the copy where it is.
type CopyToRemote struct{}

// CopyInputs are its inputs, named as in the official SDK.
type CopyInputs struct {
	Connection Connection           `pulumi:"connection" provider:"secret"`
	Source     types.AssetOrArchive `pulumi:"source"`
	RemotePath string               `pulumi:"remotePath"`
	Triggers   *[]any               `pulumi:"triggers,optional" provider:"replaceOnChanges"`
}

// CopyState is what is kept of a copy.
type CopyState struct{ CopyInputs }

// Annotate describes the resource in the schema.
func (copied *CopyToRemote) Annotate(annotator infer.Annotator) {
	annotator.Describe(&copied, "A file, a text or a directory to copy to a remote host over SFTP.")
}

// Annotate describes the inputs in the schema.
func (inputs *CopyInputs) Annotate(annotator infer.Annotator) {
	annotator.Describe(&inputs.Connection, "How to connect to the remote host.")
	annotator.Describe(&inputs.Source, "A file asset, a string asset, or an archive that is a local path.")
	annotator.Describe(&inputs.RemotePath, "Where to copy to; into it, if it is a directory.")
	annotator.Describe(&inputs.Triggers, "Values of any type; a change of one replaces the resource.")
}

// Check refuses sources that are neither local nor text.
func (*CopyToRemote) Check(
	ctx context.Context, request infer.CheckRequest,
) (infer.CheckResponse[CopyInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CopyInputs](ctx, request.NewInputs)
	asset, archive := inputs.Source.Asset, inputs.Source.Archive
	supported := (asset != nil && (asset.IsPath() || asset.IsText())) || (archive != nil && archive.IsPath())
	if err == nil && len(failures) == 0 && !supported {
		failures = append(failures, p.CheckFailure{
			Property: "source",
			Reason:   "it must be a FileAsset, a StringAsset, or a FileArchive of a local path",
		})
	}
	return infer.CheckResponse[CopyInputs]{Inputs: inputs, Failures: failures}, err
}

// Create copies.
func (*CopyToRemote) Create(
	ctx context.Context, request infer.CreateRequest[CopyInputs],
) (infer.CreateResponse[CopyState], error) {
	response := infer.CreateResponse[CopyState]{Output: CopyState{request.Inputs}}
	id, err := resource.NewUniqueHex(request.Name, 8, 0)
	if err != nil {
		return response, err
	}
	response.ID = id
	if request.DryRun {
		return response, nil
	}
	return response, transfer(ctx, request.Inputs)
}

// Update copies anew if what is copied, or where to, has changed.
func (*CopyToRemote) Update(
	ctx context.Context, request infer.UpdateRequest[CopyInputs, CopyState],
) (infer.UpdateResponse[CopyState], error) {
	response := infer.UpdateResponse[CopyState]{Output: CopyState{request.Inputs}}
	unchanged := hashOf(request.Inputs.Source) == hashOf(request.State.Source) &&
		request.Inputs.RemotePath == request.State.RemotePath
	if request.DryRun || unchanged {
		return response, nil
	}
	return response, transfer(ctx, request.Inputs)
}

func hashOf(source types.AssetOrArchive) string {
	if source.Asset != nil {
		return source.Asset.Hash
	}
	return source.Archive.Hash
}

func transfer(ctx context.Context, inputs CopyInputs) error {
	client, err := inputs.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer client.close()
	stopClosing := context.AfterFunc(ctx, client.close)
	defer stopClosing()
	files, err := sftp.NewClient(client.Client)
	if err != nil {
		return fmt.Errorf("start SFTP on %s: %w", inputs.Connection, err)
	}
	defer files.Close()
	upload := &upload{files: files}
	switch {
	case inputs.Source.Archive != nil:
		err = upload.path(inputs.Source.Archive.Path, inputs.RemotePath)
	case inputs.Source.Asset.IsText():
		err = upload.text(inputs.Source.Asset.Text, inputs.RemotePath)
	default:
		err = upload.path(inputs.Source.Asset.Path, inputs.RemotePath)
	}
	if err != nil {
		return fmt.Errorf("copy to %s: %w", inputs.Connection, err)
	}
	return nil
}
