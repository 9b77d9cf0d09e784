package remote

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
)

// upload copies to where an SFTP server puts it.
//
//	source | target is a directory | target does not exist | target is a file
//	-------|-----------------------|-----------------------|-----------------
//	dir    | target/dir            | target/dir            | refused
//	dir/   | target/…              | target/…              | refused
//	file   | target/file           | target                | target, replaced
type upload struct{ files *sftp.Client }

// text writes a file.
func (upload *upload) text(contents, target string) error {
	directory, err := upload.isDirectory(target)
	if err != nil {
		return err
	}
	if directory {
		return fmt.Errorf("%s is a directory: give the path of a file", target)
	}
	return upload.write(strings.NewReader(contents), target)
}

// path copies a file or a directory, a directory without its own name if the source ends in a slash.
func (upload *upload) path(source, target string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	directory, err := upload.isDirectory(target)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		if directory {
			target = path.Join(target, filepath.Base(source))
		}
		return upload.file(source, target)
	}
	if !strings.HasSuffix(source, "/") {
		target = path.Join(target, filepath.Base(source))
	}
	return upload.directory(source, target)
}

func (upload *upload) directory(source, target string) error {
	return filepath.WalkDir(source, func(local string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, local)
		if err != nil {
			return err
		}
		remote := path.Join(target, filepath.ToSlash(relative))
		if !entry.IsDir() {
			return upload.file(local, remote)
		}
		if err := upload.files.MkdirAll(remote); err != nil {
			return fmt.Errorf("create the directory %s: %w", remote, err)
		}
		return nil
	})
}

func (upload *upload) file(source, target string) error {
	contents, err := os.Open(source)
	if err != nil {
		return err
	}
	defer contents.Close()
	return upload.write(contents, target)
}

func (upload *upload) write(contents io.Reader, target string) error {
	if err := upload.files.MkdirAll(path.Dir(target)); err != nil {
		return fmt.Errorf("create the directory of %s: %w", target, err)
	}
	file, err := upload.files.Create(target)
	if err != nil {
		return fmt.Errorf("create %s: %w", target, err)
	}
	_, copyErr := file.ReadFrom(contents)
	if err := errors.Join(copyErr, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", target, err)
	}
	return nil
}

func (upload *upload) isDirectory(target string) (bool, error) {
	info, err := upload.files.Stat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", target, err)
	}
	return info.IsDir(), nil
}
