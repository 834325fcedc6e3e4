package loop

import "rnas/runtime"

// Levels of ONNX Runtime's own rewrites, which come after those of compiler/pass. On two programs of DARTS' networks of 16
// channels and 8 cells, with one thread: a training step of 7,000 nodes loads in 1.0 s at either level and takes 0.46 s; a
// search step of 47,000 nodes loads in 7.7 s at LevelBasic and 13.6 s at LevelExtended, and takes 1.4 and 1.5 s (without
// rewrites 4.3 and 1.8 s).
const (
	TrainLevel  = runtime.LevelExtended
	SearchLevel = runtime.LevelBasic
)

// Runtime fills in how programs of so many nodes are to be loaded.
func Runtime(o runtime.Options, level runtime.Level) runtime.Options {
	if o.Provider == "" {
		o.Provider = "cpu" // what the passes for it go by
	}
	o.Optimize = level
	return o
}
