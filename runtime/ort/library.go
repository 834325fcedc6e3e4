package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// LibraryEnv names the environment variable that holds the path of the ONNX Runtime shared library.
const LibraryEnv = "ONNXRUNTIME_LIB"

// MinVersion is the oldest ONNX Runtime release that has the C API version this package is compiled against (24).
const MinVersion = "1.24.0"

// Candidate is one place where the ONNX Runtime library was looked for.
type Candidate struct {
	Source  string `json:"source"`            // "flag", "environment", "project", "python" or "system"
	Path    string `json:"path"`              // library file; the folder looked in when there is none
	Version string `json:"version,omitempty"` // "1.30.0"; empty when it cannot be told without loading the file
	Problem string `json:"problem,omitempty"` // why the candidate is not usable; empty when it is

	err error
}

// Usable reports whether the candidate is a library file of a known good or unknown version.
func (c Candidate) Usable() bool { return c.err == nil }

// Find returns the library to load: explicit when it is not empty, else the file named by ONNXRUNTIME_LIB, else the
// first usable one of the project's cache, the Python environments and the system's library folders. A library that
// is asked for by name and not usable is an error, never passed over. The errors are ErrNoLibrary and ErrOldLibrary.
func Find(explicit string) (Candidate, error) {
	var old error
	for c := range walk(explicit) {
		if c.Usable() {
			return c, nil
		}
		if c.Source == sourceFlag || c.Source == sourceEnv {
			return c, c.err
		}
		if old == nil && errors.Is(c.err, ErrOldLibrary) {
			old = c.err
		}
	}
	if old != nil {
		return Candidate{}, old
	}
	return Candidate{}, fmt.Errorf("%w: %s", ErrNoLibrary, installHint)
}

const installHint = "run tools/fetch-onnxruntime.sh, or `pip install onnxruntime`, or name the file with --ort-lib or " + LibraryEnv

// Candidates lists every place that Find looks at, in its order, with what is there. It looks on after a usable one.
func Candidates(explicit string) []Candidate {
	return slices.Collect(walk(explicit))
}

const (
	sourceFlag    = "flag"
	sourceEnv     = "environment"
	sourceProject = "project"
	sourcePython  = "python"
	sourceSystem  = "system"
)

// walk yields the candidates lazily, because the last Python place costs a process. Every file is yielded once.
func walk(explicit string) func(yield func(Candidate) bool) {
	return func(yield func(Candidate) bool) {
		if explicit != "" && !yield(named(sourceFlag, "--ort-lib", explicit)) {
			return
		}
		if env := os.Getenv(LibraryEnv); env != "" && !yield(named(sourceEnv, LibraryEnv, env)) {
			return
		}
		seen := map[string]bool{}
		for _, place := range []struct {
			source string
			dirs   func(yield func(string) bool)
		}{
			{sourceProject, projectDirs},
			{sourcePython, pythonDirs},
			{sourceSystem, systemDirs},
		} {
			for dir := range place.dirs {
				if dir = canonical(dir); seen[dir] {
					continue
				}
				seen[dir] = true
				if !yield(inFolder(place.source, dir)) {
					return
				}
			}
		}
	}
}

func canonical(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// named is the candidate for a path given by the user: a library file, or a folder that holds one.
func named(source, origin, path string) Candidate {
	info, err := os.Stat(path)
	if err != nil {
		return reject(Candidate{Source: source, Path: path}, fmt.Errorf("%w: %s: %w", ErrNoLibrary, origin, err))
	}
	if info.IsDir() {
		c := inFolder(source, path)
		if errors.Is(c.err, ErrNoLibrary) {
			c = reject(c, fmt.Errorf("%w: %s: no %s in folder %s", ErrNoLibrary, origin, libraryPatterns[0], path))
		}
		return c
	}
	return inspect(source, path)
}

// inFolder is the newest library of a folder.
func inFolder(source, dir string) Candidate {
	best := reject(Candidate{Source: source, Path: dir}, ErrNoLibrary)
	for _, pattern := range libraryPatterns {
		names, _ := filepath.Glob(filepath.Join(escapeGlob(dir), pattern)) // the pattern is well-formed
		for _, name := range names {
			c := inspect(source, name)
			if errors.Is(best.err, ErrNoLibrary) || best.Version == "" || compareVersions(c.Version, best.Version) > 0 {
				best = c
			}
		}
	}
	return best
}

func escapeGlob(dir string) string {
	if runtime.GOOS == "windows" {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

func inspect(source, path string) Candidate {
	c := Candidate{Source: source, Path: canonical(path)}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err == nil && info.Size() == 0 {
		err = fmt.Errorf("%s is empty", path)
	}
	if err != nil {
		return reject(c, fmt.Errorf("%w: %w", ErrNoLibrary, err))
	}
	c.Version = fileVersion(c.Path)
	if c.Version != "" && compareVersions(c.Version, MinVersion) < 0 {
		return reject(c, oldLibrary(c.Path, c.Version))
	}
	return c
}

func oldLibrary(path, version string) error {
	return fmt.Errorf("%w: %s: expected version %s or newer (C API 24), found %s", ErrOldLibrary, path, MinVersion, version)
}

func reject(c Candidate, err error) Candidate {
	c.err, c.Problem = err, err.Error()
	return c
}
