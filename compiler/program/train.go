package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
)

// Train describes a training step of a network.
//
// Inputs: images [B,D,H,W] in [0,1], labels int64 [B], lr [1], the states params, stats and momentum, start [B,D,H,W] (the
// perturbation that the attack starts from; recipes other than standard) and drop_path [E,B] (the factor of each edge
// and image, if DropPath). Outputs: loss [1], logits [B,K] and correct [1] of the images learnt from, norm [1] of the gradient before clipping.
type Train struct {
	Net    lower.Network
	Batch  int
	Recipe Recipe
	Attack Attack  // of adversarial recipes
	Beta   float64 // weight of the divergence in TRADES
	SGD    SGD
	// Smoothing is the label smoothing; AuxWeight the weight of the auxiliary loss, if the network has that head.
	Smoothing float64
	AuxWeight float64
	DropPath  bool
	// AttackTrain runs the attack with batch statistics instead of running ones.
	AttackTrain bool
}

// Compile makes the program over the layout of the network.
func (t Train) Compile(l *Layout) (*Program, error) {
	row, err := t.Recipe.row()
	if err != nil {
		return nil, err
	}
	m := t.Net.Skeleton()
	b := op.NewB("train_" + string(t.Recipe))
	s := &trainStep{Train: t, attackMode: mode{train: t.AttackTrain}}
	s.images = b.Input("images", ir.Float32, int64(t.Batch), int64(m.Depth), int64(m.Height), int64(m.Width))
	s.labels = b.Input("labels", ir.Int64, int64(t.Batch))
	lr := b.Input("lr", ir.Float32, 1)
	s.network = open(b, t.Net, l)
	momentum := b.Input(Momentum, ir.Float32, l.ParamLen)
	s.main = mode{train: true, dropPath: t.dropPath(b)}
	s.target = b.OneHot(s.labels, int64(m.Classes), s.images)
	s.soft = smooth(b, s.target, t.Smoothing)
	s.stats = s.network.stats.vector

	var stop []*ir.Value
	if row.attack != nil {
		start := b.Input("start", ir.Float32, s.images.Shape...)
		raise := row.attack(s)
		s.adversarial = t.Attack.Run(b, s.images, start, func(b op.B, x *ir.Value) *ir.Value { return b.ReduceSum(raise(b, x), true, 0) })
		stop = append(stop, s.adversarial)
	}
	row.loss(s)
	g := gradient(b, s.loss, s.params.vector, stop...)
	params, velocity, norm := t.SGD.step(b, s.params.vector, momentum, g, lr)
	b.Output(next(Params), params)
	b.Output(next(Stats), s.stats)
	b.Output(next(Momentum), velocity)
	b.Output("loss", s.loss)
	b.Output("correct", correct(b, s.logits, s.labels))
	b.Output("logits", s.logits)
	b.Output("norm", norm)
	return build(b, carried(Params), carried(Stats), carried(Momentum))
}

// dropPath declares the input of drop-path factors and hands them out edge by edge; nil when it is off. The number of
// edges is found by lowering the network once.
func (t Train) dropPath(b op.B) func() *ir.Value {
	if !t.DropPath {
		return nil
	}
	edges, err := DropPathEdges(t.Net)
	if err != nil {
		b.Fail("%w", err)
		return nil
	}
	factors := b.Input("drop_path", ir.Float32, edges, int64(t.Batch))
	rows := b.Split(factors, 0, fillOnes(edges)...)
	next := 0
	return func() *ir.Value {
		row := rows[next%len(rows)]
		next++
		return b.Reshape(row, int64(t.Batch), 1, 1, 1)
	}
}

func fillOnes(n int64) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// DropPathEdges is the number of edges of a network that drop-path acts on.
func DropPathEdges(n lower.Network) (int64, error) {
	edges := int64(0)
	m := n.Skeleton()
	b := op.NewB("edges")
	one := b.Input("one", ir.Float32, 1, 1, 1, 1)
	e := &lower.Env{B: b, Train: true, DropPath: func() *ir.Value { edges++; return one }, Param: func(p lower.Param) *ir.Value {
		return &ir.Value{Name: p.Name, Type: ir.Float32, Shape: p.Shape}
	}}
	n.Forward(e, b.Input("images", ir.Float32, 1, int64(m.Depth), int64(m.Height), int64(m.Width)))
	return edges, b.Err()
}
