package program

import (
	"rnas/compiler/lower"
	"rnas/internal/carry"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// Names of the states that programs carry, float32 vectors unless a shape is given. They are the names of the programs' inputs and of
// the tensors in checkpoints.
const (
	Params   = "params"   // trained parameters, in the order of Layout.Params
	Stats    = "stats"    // running statistics, in the order of Layout.Stats
	Momentum = "momentum" // of SGD, one for each parameter
	Alphas   = "alphas"   // architecture parameters, of the shape of lower.Supernet.AlphaShape
	AdamM    = "adam_m"   // first moment of Adam, of the shape of Alphas
	AdamV    = "adam_v"   // second moment, likewise
	AdamT    = "adam_t"   // number of steps of Adam, [1]
	// Running mean of the gradient of a regularizer, of the shape of what it is taken of, and the sum of its weights [1].
	RegMean   = "reg_mean"
	RegWeight = "reg_weight"
)

// next is the name of the output that rewrites a state.
func next(state string) string { return state + ".next" }

// carried is the binding of a state that a program rewrites, read of one that it does not.
func carried(state string) carry.Binding {
	return carry.Binding{State: state, In: state, Out: next(state)}
}
func read(state string) carry.Binding { return carry.Binding{State: state, In: state} }

// Initial are the states of a training at its beginning: drawn parameters, neutral statistics, no momentum.
func (l *Layout) Initial(seed uint64) []carry.Initial {
	params, stats := l.Init(seed)
	return []carry.Initial{
		{State: Params, Value: tensor.Vector(params...)}, {State: Stats, Value: tensor.Vector(stats...)}, {State: Momentum, Value: tensor.Zeros(tensor.Float32, l.ParamLen)},
	}
}

// alphaScale is the standard deviation of the first architecture parameters, as in DARTS.
const alphaScale = 1e-3

// InitialSearch are the states of a search at its beginning: those of a training, and architecture parameters drawn from a normal
// distribution of standard deviation 1e-3 (Liu et al. 2019, public code) with Adam's moments at zero.
func (l *Layout) InitialSearch(s lower.Supernet, seed uint64) []carry.Initial {
	zeros := func() *tensor.Tensor { return tensor.Zeros(tensor.Float32, s.AlphaShape()...) }
	alphas := zeros()
	draw := rng.New(seed, rng.Architecture, 0, 0, 0)
	draw.FillNormal(alphas.Float32s(), alphaScale)
	return append(l.Initial(seed), carry.Initial{State: Alphas, Value: alphas}, carry.Initial{State: AdamM, Value: zeros()}, carry.Initial{State: AdamV, Value: zeros()}, carry.Initial{State: AdamT, Value: tensor.Vector[float32](0)})
}
