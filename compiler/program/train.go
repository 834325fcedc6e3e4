package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
)

// Recipe tells which images a training step learns from.
type Recipe string

// Recipes.
const (
	Standard Recipe = "standard" // clean images
	Fast     Recipe = "fast"     // one signed-gradient step from a random start (Wong et al. 2020)
	PGD      Recipe = "pgd"      // projected gradient descent (Madry et al. 2018)
	TRADES   Recipe = "trades"   // clean loss and divergence of adversarial from clean logits (Zhang et al. 2019)
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
	m := t.Net.Skeleton()
	b := op.NewB("train_" + string(t.Recipe))
	images := b.Input("images", ir.Float32, int64(t.Batch), int64(m.Depth), int64(m.Height), int64(m.Width))
	labels := b.Input("labels", ir.Int64, int64(t.Batch))
	lr := b.Input("lr", ir.Float32, 1)
	w := open(b, t.Net, l)
	momentum := b.Input(Momentum, ir.Float32, l.ParamLen)
	main := mode{train: true, dropPath: t.dropPath(b)}

	target := b.OneHot(labels, int64(m.Classes), images)
	soft := smooth(b, target, t.Smoothing)
	stats := w.stats.vector

	learn := images
	var start, adversarial *ir.Value
	if t.Recipe != Standard {
		start = b.Input("start", ir.Float32, images.Shape...)
	}
	attackMode := mode{train: t.AttackTrain}
	switch t.Recipe {
	case Standard:
	case Fast, PGD:
		adversarial = t.Attack.Run(b, images, start, func(b op.B, x *ir.Value) *ir.Value {
			logits, _, _ := w.forward(b, x, attackMode)
			return b.ReduceSum(crossEntropy(b, logits, target), true, 0)
		})
		learn = adversarial
	case TRADES:
		clean, _, _ := w.forward(b, images, attackMode)
		adversarial = t.Attack.Run(b, images, start, func(b op.B, x *ir.Value) *ir.Value {
			logits, _, _ := w.forward(b, x, attackMode)
			return b.ReduceSum(divergence(b, clean, logits), true, 0)
		})
	default:
		return nil, fmt.Errorf("recipe %q is not known: expected standard, fast, pgd or trades", t.Recipe)
	}

	var logits, aux, loss *ir.Value
	var batch []lower.Stat
	b.In("main", func() {
		logits, aux, batch = w.forward(b, learn, main)
		loss = mean(b, crossEntropy(b, logits, soft))
		stats = w.updateStats(stats, batch)
		if aux != nil && t.AuxWeight != 0 {
			loss = b.Add(loss, b.Scale(mean(b, crossEntropy(b, aux, soft)), t.AuxWeight))
		}
	})
	if t.Recipe == TRADES {
		b.In("robust", func() {
			attacked, _, batch := w.forward(b, adversarial, main)
			loss = b.Add(loss, b.Scale(mean(b, divergence(b, logits, attacked)), t.Beta))
			stats = w.updateStats(stats, batch)
			logits = attacked
		})
	}
	var stop []*ir.Value
	if adversarial != nil {
		stop = append(stop, adversarial)
	}
	g := gradient(b, loss, w.params.vector, stop...)
	params, velocity, norm := t.SGD.step(b, w.params.vector, momentum, g, lr)
	b.Output(next(Params), params)
	b.Output(next(Stats), stats)
	b.Output(next(Momentum), velocity)
	b.Output("loss", loss)
	b.Output("correct", correct(b, logits, labels))
	b.Output("logits", logits)
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
