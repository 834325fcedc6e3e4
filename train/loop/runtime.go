package loop

import (
	"rnas/runtime/ort"
)

// Levels of ONNX Runtime's own rewrites, which come after those of compiler/pass. On two programs of DARTS' networks of 16
// channels and 8 cells: a training step of 6,000 nodes takes 0.8 s to compile and load; a search step of 56,000 nodes loads in
// 3.1 s at LevelOff and 7.7 s at LevelBasic, and takes 0.43 s at both.
const (
	TrainLevel  = ort.LevelExtended
	SearchLevel = ort.LevelOff
)

// Runtime fills in how programs of so many nodes are to be loaded.
func Runtime(o ort.Options, level ort.Level) ort.Options {
	o.Optimize, o.NoMemoryPattern = level, true
	return o
}
