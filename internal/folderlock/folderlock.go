// Package folderlock keeps two processes from working in one folder, or on one file.
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
	return lock(filepath.Join(dir, File), dir, "folder that no process works in")
}

// LockFile locks a file likewise, by one beside it whose name ends in File. The file itself need not exist, and may be replaced.
func LockFile(path string) (release func(), err error) {
	return lock(path+File, path, "file that no process works on")
}

func lock(path, of, what string) (release func(), err error) {
	l := flock.New(path)
	got, err := l.TryLock()
	if err != nil {
		return nil, err
	}
	if !got {
		return nil, fault.Inputf("%s: expected a %s, found one that another process has locked", of, what)
	}
	return func() { l.Close() }, nil // the end of the process gives it back in any case
}
