package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func scalarOf(t ir.DType, v int64) *tensor.Tensor {
	return tensor.FromFloat64s(t, nil, []float64{float64(v)})
}

// recur lists what the state h contributes to each gate, biases included.
func (s *cell) recur(h *ir.Value, gates int) []*ir.Value {
	v := s.MatMul(h, s.r)
	if s.rb != nil {
		v = s.Add(v, s.rb)
	}
	if gates == 1 {
		return []*ir.Value{v}
	}
	return s.Split(v, 1, repeated(int64(gates), s.hidden)...)
}

// squash clips x as the node asks and applies activation i.
func (s *cell) squash(i int, x *ir.Value) *ir.Value {
	if limit := float64(s.n.Float("clip", 0)); limit > 0 {
		x = s.Clip(x, -limit, limit)
	}
	return s.act[i](x)
}

func rnnCell(s *cell, x []*ir.Value, h, c *ir.Value) (*ir.Value, *ir.Value) {
	return s.squash(0, s.Add(x[0], s.recur(h, 1)[0])), c
}

// gruCell follows Cho et al. 2014, section 2.3: gates are update, reset, hidden.
func gruCell(s *cell, x []*ir.Value, h, c *ir.Value) (*ir.Value, *ir.Value) {
	r := s.recur(h, 3)
	update := s.squash(0, s.Add(x[0], r[0]))
	reset := s.squash(0, s.Add(x[1], r[1]))
	inner := s.Mul(reset, r[2])
	if s.n.Int("linear_before_reset", 0) == 0 {
		k := s.hidden
		weight := s.Slice(s.r, []int64{2 * k}, []int64{3 * k}, []int64{1}, []int64{1})
		inner = s.MatMul(s.Mul(reset, h), weight)
		if s.rb != nil {
			inner = s.Add(inner, s.Slice(s.rb, []int64{2 * k}, []int64{3 * k}, []int64{0}, []int64{1}))
		}
	}
	fresh := s.squash(1, s.Add(x[2], inner))
	return s.Add(s.Mul(s.Sub(s.Float(h, 1), update), fresh), s.Mul(update, h)), c
}

// lstmCell follows Gers & Schmidhuber 2000 with peepholes: gates are input, output, forget, cell.
func lstmCell(s *cell, x []*ir.Value, h, c *ir.Value) (*ir.Value, *ir.Value) {
	r := s.recur(h, 4)
	gate := func(i int, state *ir.Value) *ir.Value {
		v := s.Add(x[i], r[i])
		if s.peepholes != nil {
			v = s.Add(v, s.Mul(s.peepholes[i], state))
		}
		return s.squash(0, v)
	}
	in := gate(0, c)
	var keep *ir.Value
	if s.n.Int("input_forget", 0) != 0 {
		keep = s.Sub(s.Float(in, 1), in)
	} else {
		keep = gate(2, c)
	}
	next := s.Add(s.Mul(keep, c), s.Mul(in, s.squash(1, s.Add(x[3], r[3]))))
	return s.Mul(gate(1, next), s.act[2](next)), next
}

// activationsOf lists the activations of all directions. A node without any has those of names in each direction.
func activationsOf(b B, n *ir.Node, names []string, directions int) ([]func(*ir.Value) *ir.Value, error) {
	given, ok := n.Attrs["activations"].([]string)
	if !ok {
		for range directions {
			given = append(given, names...)
		}
	}
	if len(given) != directions*len(names) {
		return nil, fmt.Errorf("expected %d activations, found %d", directions*len(names), len(given))
	}
	alphas, _ := n.Attrs["activation_alpha"].([]float32)
	betas, _ := n.Attrs["activation_beta"].([]float32)
	next := func(from *[]float32, def float64) float64 {
		if math.IsNaN(def) || len(*from) == 0 {
			return def
		}
		v := (*from)[0]
		*from = (*from)[1:]
		return float64(v)
	}
	var out []func(*ir.Value) *ir.Value
	for _, name := range given {
		p, ok := cellActivations[name]
		if !ok {
			return nil, fmt.Errorf("activation %q is not known", name)
		}
		alpha, beta := next(&alphas, p.alpha), next(&betas, p.beta)
		out = append(out, func(x *ir.Value) *ir.Value { return p.apply(b, x, alpha, beta) })
	}
	return out, nil
}

type cellActivation struct {
	alpha, beta float64 // defaults; NaN where there is no such parameter
	apply       func(b B, x *ir.Value, alpha, beta float64) *ir.Value
}

var cellActivations = map[string]cellActivation{
	"Relu":     plain("Relu"),
	"Tanh":     plain("Tanh"),
	"Sigmoid":  plain("Sigmoid"),
	"Softsign": plain("Softsign"),
	"Softplus": plain("Softplus"),
	"Affine": {1, 0, func(b B, x *ir.Value, alpha, beta float64) *ir.Value {
		return b.Add(b.Scale(x, alpha), b.Float(x, beta))
	}},
	"LeakyRelu": {0.01, math.NaN(), func(b B, x *ir.Value, alpha, _ float64) *ir.Value {
		return b.One("LeakyRelu", ir.Attrs{"alpha": float32(alpha)}, x)
	}},
	"ThresholdedRelu": {1, math.NaN(), func(b B, x *ir.Value, alpha, _ float64) *ir.Value {
		return b.Where(b.Greater(x, b.Float(x, alpha)), x, b.Float(x, 0))
	}},
	"ScaledTanh": {1, 1, func(b B, x *ir.Value, alpha, beta float64) *ir.Value {
		return b.Scale(b.Tanh(b.Scale(x, beta)), alpha)
	}},
	"HardSigmoid": {0.2, 0.5, func(b B, x *ir.Value, alpha, beta float64) *ir.Value {
		return b.One("HardSigmoid", ir.Attrs{"alpha": float32(alpha), "beta": float32(beta)}, x)
	}},
	"Elu": {1, math.NaN(), func(b B, x *ir.Value, alpha, _ float64) *ir.Value {
		return b.One("Elu", ir.Attrs{"alpha": float32(alpha)}, x)
	}},
}

func plain(name string) cellActivation {
	return cellActivation{math.NaN(), math.NaN(), func(b B, x *ir.Value, _, _ float64) *ir.Value { return b.One(name, nil, x) }}
}
