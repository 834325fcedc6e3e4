package loop

import "rnas/runtime"

// Runtime is how programs of tens of thousands of nodes are to be loaded: by our own passes for the provider, and with
// those rewrites of ONNX Runtime that cost little for their number.
func Runtime(o runtime.Options) runtime.Options {
	if o.Provider == "" {
		o.Provider = "cpu"
	}
	o.Optimize = runtime.LevelExtended
	return o
}
