package program

import (
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/internal/rng"
)

// Init draws initial parameters and statistics as PyTorch's layers do by default: weights and biases of convolutions and
// linear layers uniform in +-1/sqrt(fan in), scales and variances 1, offsets and means 0. Parameter i has a stream of its
// own, so its draw does not depend on the others.
func (l *Layout) Init(seed uint64) (params, stats []float32) {
	params, stats = make([]float32, l.ParamLen), make([]float32, l.StatLen)
	for i, s := range l.Params {
		v := params[s.Offset : s.Offset+ir.Shape(s.Shape).Numel()]
		switch s.Kind {
		case lower.ConvWeight, lower.LinearWeight, lower.LinearBias:
			bound := float32(1 / math.Sqrt(float64(s.FanIn)))
			r := rng.New(seed, rng.Init, 0, 0, i)
			r.FillUniform(v, -bound, bound)
		case lower.NormScale:
			fill(v, 1)
		}
	}
	for _, s := range l.Stats {
		if s.Kind == lower.RunningVar {
			fill(stats[s.Offset:s.Offset+ir.Shape(s.Shape).Numel()], 1)
		}
	}
	return params, stats
}

func fill(v []float32, x float32) {
	for i := range v {
		v[i] = x
	}
}
