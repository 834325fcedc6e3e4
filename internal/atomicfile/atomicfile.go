// Package atomicfile writes files that are either complete or absent: readers, and the next run after a crash, never
// see half a file.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Write creates or replaces the file at path with what f writes. The data goes to a temporary file in the same folder,
// is flushed to the disk and then renamed. On an error, from f or from the file system, the file at path is as it was
// and the temporary file is gone. A replaced file keeps its permissions; a new one gets 0644 less the umask. A symbolic
// link is followed, so that the file it names is replaced and not the link.
func Write(path string, f func(io.Writer) error) (err error) {
	mode := os.FileMode(0o644)
	exists := false
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
		if info, err := os.Stat(path); err == nil {
			if !info.Mode().IsRegular() {
				return fmt.Errorf("write %s: not a regular file", path)
			}
			mode, exists = info.Mode().Perm(), true
		}
	}
	tmp, err := create(path, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(tmp, 1<<16)
	if err := f(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if exists {
		if err := tmp.Chmod(mode); err != nil {
			return err
		}
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// WriteBytes creates or replaces the file at path with data, as Write does.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// create makes a new file beside path under an unused name. os.CreateTemp would not do: its files are private to the
// user whatever the umask.
func create(path string, mode os.FileMode) (*os.File, error) {
	dir, base := filepath.Split(path)
	for i := 0; ; i++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d.tmp", base, os.Getpid(), i))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !os.IsExist(err) {
			return f, err
		}
	}
}

// syncFolder makes the rename itself durable. Windows has no such operation.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
