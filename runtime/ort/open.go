//go:build cgo

package ort

import (
	"fmt"
	"strings"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// Library is the loaded ONNX Runtime. There is one per process and it stays loaded until the process ends.
type Library struct {
	path    string
	version string

	probe     sync.Once
	providers []Offer
}

var loaded struct {
	sync.Mutex
	library *Library
}

// Open loads the shared library at path and initialises ONNX Runtime. Opening the same file again returns the same
// Library; opening a different one is an error, because a process can hold only one. Safe for concurrent use.
func Open(path string) (*Library, error) {
	path = canonical(path)
	loaded.Lock()
	defer loaded.Unlock()
	if l := loaded.library; l != nil {
		if l.path != path {
			return nil, fmt.Errorf("open %s: ONNX Runtime is already loaded from %s", path, l.path)
		}
		return l, nil
	}
	if c := inspect(sourceFlag, path); !c.Usable() {
		return nil, c.err
	}
	onnxruntime.SetSharedLibraryPath(path)
	// Whatever ONNX Runtime would log as an error is also returned as one.
	start := func() error { return onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelFatal()) }
	if err := keepSignals(start); err != nil {
		if strings.Contains(err.Error(), "ORT API base: 2") { // GetApi(24) returned null
			return nil, oldLibrary(path, "an older one")
		}
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	if err := shareArena(); err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	loaded.library = &Library{path: path, version: onnxruntime.GetVersion()}
	return loaded.library, nil
}

// shareArena makes one arena for the intermediate values of all sessions on the CPU: programs that take turns, such as the
// two steps of a search, need the memory of the larger one.
func shareArena() error {
	info, err := onnxruntime.GetMemoryInfo()
	if err != nil {
		return err
	}
	defaults, err := onnxruntime.NewArenaCfg(0, -1, -1, -1)
	if err != nil {
		return err
	}
	defer defaults.Destroy()
	return onnxruntime.CreateAndRegisterAllocator(info, defaults)
}

// OpenDefault is Find followed by Open. Once a library is loaded and nothing is asked for by name, it is that one.
func OpenDefault(explicit string) (*Library, error) {
	if explicit == "" {
		if l := current(); l != nil {
			return l, nil
		}
	}
	c, err := Find(explicit)
	if err != nil {
		return nil, err
	}
	return Open(c.Path)
}

func current() *Library {
	loaded.Lock()
	defer loaded.Unlock()
	return loaded.library
}

// Version is the library's own version, such as "1.30.0".
func (l *Library) Version() string { return l.version }

// Path is the file that was loaded, with symbolic links resolved.
func (l *Library) Path() string { return l.path }
