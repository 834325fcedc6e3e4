package cpu

import "rnas/compiler/pass"

// The masks, one row each: name, gain, what has to run before it and why.
var (
	reluMasks = pass.Pass{
		Name: "relumask", Why: "the mask of a Relu stays in NCHWc",
		After: []pass.Need{{Pass: "identity", Why: "a copy between Relu and Sign hides one from the other"}},
		Run:   relumask,
	}
	clipMasks = pass.Pass{
		Name: "clipmask", Why: "the mask of a Clip stays in NCHWc, which is slow at Where",
		After: []pass.Need{{Pass: "fold", Why: "bounds are recognised by their constant values"}},
		Run:   clipmask,
	}
)

// Forward is the pipeline of a forward graph with constant weights, before a program is made of it. A gradient has to be taken of
// its result. Block is the number of channels of a block in NCHWc, or 0 where the layout is not to be used.
func Forward(block int64) []pass.Pass {
	passes := pass.Inference()
	if block > 0 {
		passes = append(passes, Widen(block))
	}
	return passes
}

// Program is the pipeline of a whole program. Block is the number of channels of a block in NCHWc, or 0 where the layout is not to
// be used. Normalisation is not folded here: a gradient is that of the graph that was differentiated, kinks included.
func Program(block int64) []pass.Pass {
	passes := append(pass.Training(), reluMasks, clipMasks)
	if block > 0 {
		passes = append(passes, NCHWc(block))
	}
	return append(passes, Sums, Stack)
}
