package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// packageManifest is the part of a package.json that says whether an npm package is the SDK of a Pulumi plugin.
type packageManifest struct {
	Name    string                  `json:"name"`
	Version string                  `json:"version"`
	Pulumi  plugin.PulumiPluginJSON `json:"pulumi"`
}

// GetRequiredPackages lists the plugins whose SDKs are installed for the program, so that the engine can load them
// before the program runs. SDKs that the program's package.json has for optional dependencies are left out: a program
// that makes nothing with one must not need its plugin, and one that does gets it when it first makes something.
func (host *languageHost) GetRequiredPackages(
	_ context.Context, request *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	packages, err := requiredPackages(request.GetInfo().GetProgramDirectory())
	if err != nil {
		return nil, err
	}
	return &pulumirpc.GetRequiredPackagesResponse{Packages: packages}, nil
}

// requiredPackages looks where Node.js would: in `node_modules` of the directory and of every directory above it. Only
// the top level of each is read: dependencies of dependencies are flattened there by npm.
func requiredPackages(directory string) ([]*pulumirpc.PackageDependency, error) {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	optional, err := optionalDependencies(directory)
	if err != nil {
		return nil, err
	}
	var packages []*pulumirpc.PackageDependency
	seen := map[string]bool{}
	for {
		manifests, err := manifestsIn(filepath.Join(directory, "node_modules"))
		if err != nil {
			return nil, err
		}
		for _, path := range manifests {
			dependency := packageOf(path, optional)
			if dependency == nil || seen[dependency.Name+dependency.Version] {
				continue
			}
			seen[dependency.Name+dependency.Version] = true
			packages = append(packages, dependency)
		}
		parent := filepath.Dir(directory)
		if parent == directory {
			return packages, nil
		}
		directory = parent
	}
}

// manifestsIn returns the package.json of every package directly in the node_modules directory, scoped ones included.
func manifestsIn(nodeModules string) ([]string, error) {
	entries, err := os.ReadDir(nodeModules)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the installed packages: %w", err)
	}
	var manifests []string
	for _, entry := range entries {
		path := filepath.Join(nodeModules, entry.Name())
		if strings.HasPrefix(entry.Name(), "@") {
			scoped, err := manifestsIn(path)
			if err != nil {
				return nil, err
			}
			manifests = append(manifests, scoped...)
			continue
		}
		manifests = append(manifests, filepath.Join(path, "package.json"))
	}
	return manifests, nil
}

// optionalDependencies returns the names of the npm packages that the program in the directory can do without. A
// program needs no package.json.
func optionalDependencies(directory string) (map[string]string, error) {
	path := filepath.Join(directory, "package.json")
	contents, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the program's manifest: %w", err)
	}
	var manifest struct {
		OptionalDependencies map[string]string `json:"optionalDependencies"`
	}
	if err := json.Unmarshal(contents, &manifest); err != nil {
		return nil, fmt.Errorf("read the program's manifest %s: %w", path, err)
	}
	return manifest.OptionalDependencies, nil
}

// packageOf reads the plugin that an npm package is the SDK of; nil if it is none, or an optional one. What can't be read is none either
// (`.bin`, a stray file, a broken link): if the program does need it, the engine says so when it is used.
func packageOf(path string, optional map[string]string) *pulumirpc.PackageDependency {
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var manifest packageManifest
	if json.Unmarshal(contents, &manifest) != nil || !manifest.Pulumi.Resource {
		return nil
	}
	if _, left := optional[manifest.Name]; left {
		return nil
	}
	name := manifest.Pulumi.Name
	if name == "" {
		name = strings.TrimPrefix(manifest.Name, "@pulumi/")
	}
	version := manifest.Pulumi.Version
	if version == "" {
		version = manifest.Version
	}
	dependency := &pulumirpc.PackageDependency{
		Name:    name,
		Kind:    "resource",
		Version: "v" + strings.TrimPrefix(version, "v"),
		Server:  manifest.Pulumi.Server,
	}
	if parameters := manifest.Pulumi.Parameterization; parameters != nil {
		dependency.Parameterization = &pulumirpc.PackageParameterization{
			Name: parameters.Name, Version: parameters.Version, Value: parameters.Value,
		}
	}
	return dependency
}
