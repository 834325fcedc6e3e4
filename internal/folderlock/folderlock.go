// Package folderlock keeps two processes from working in one folder.
package folderlock

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"rnas/internal/fault"
)

// File is the name of the file in the folder that the lock is on. It stays there when the lock is given back.
const File = ".lock"

// Lock makes the folder if need be and locks it until release is called or the process ends, however it ends. A folder
// that another process has locked is an error of the input.
func Lock(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fault.Input(err)
	}
	l := flock.New(filepath.Join(dir, File))
	got, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !got {
		return nil, fault.Inputf("%s: expected a folder that no process works in, found one that another process has locked", dir)
	}
	return func() { l.Close() }, nil // the end of the process gives it back in any case
}
