package ort

import (
	"maps"
	"path/filepath"
)

// Level is how much ONNX Runtime rewrites a graph when it loads it.
type Level int

// Optimization levels. LevelAll includes the layout changes of the CPU provider; on a graph of tens of thousands of
// nodes it costs many times the load time of LevelOff.
const (
	LevelAll Level = iota
	LevelExtended
	LevelBasic
	LevelOff
)

// Options says how a session runs. The zero value is the CPU provider with all optimizations.
type Options struct {
	// Provider is the execution provider, one of ProviderNames; "" is the CPU's.
	Provider Provider
	// Device is the number of the device, for providers that have several.
	Device int
	// Threads is the number of threads one operator may use; 0 is PhysicalCores().
	Threads int
	// Optimize is the optimization level.
	Optimize Level
	// NoMemoryPattern allocates intermediate values one by one. Otherwise ONNX Runtime holds them all in one block, laid out
	// after the first step: a step of many small operators is faster by some percent, and memory has to be found twice.
	NoMemoryPattern bool
	// AllowCPUFallback permits heavy nodes on the CPU when another provider was asked for.
	AllowCPUFallback bool
	// Profile is a file name prefix; when not empty, ONNX Runtime writes a JSON trace there when the session closes.
	Profile string
	// MemoryLimit bounds the device memory arena, in bytes; 0 is no limit. Only for "cuda".
	MemoryLimit int64
	// Config holds session configuration entries, such as "session.intra_op.allow_spinning": "0". They win over the
	// ones that this package sets.
	Config map[string]string
	// ProviderConfig holds options of the execution provider. They win over the ones that this package sets.
	ProviderConfig map[string]string
}

// Beside is o for a model that was read from path: tensors that it keeps in other files are looked for beside it.
func (o Options) Beside(path string) Options {
	o.Config = maps.Clone(o.Config)
	if o.Config == nil {
		o.Config = map[string]string{}
	}
	dir := filepath.Dir(path)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	o.Config["session.model_external_initializers_file_folder_path"] = dir
	return o
}
