package conformance

import (
	"fmt"
	"math"

	"rnas/internal/interp"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// How much is compared per case.
const (
	coordinates = 6 // of each input
	directions  = 2 // through all inputs
	relative    = 1e-6
)

// probe is a function with its gradient at a point.
type probe struct {
	loss    *interp.Program
	inputs  map[string]*tensor.Tensor
	names   []string    // of the inputs that vary
	grad    [][]float64 // with respect to them
	outs    []string
	weights [][]float64
}

// at is the loss at the point moved by step times direction, one list per varying input (nil where it stays).
func (p *probe) at(direction [][]float64, step float64) (float64, error) {
	moved := make(map[string]*tensor.Tensor, len(p.inputs))
	for name, t := range p.inputs {
		moved[name] = t
	}
	for i, name := range p.names {
		if direction[i] == nil {
			continue
		}
		t := p.inputs[name].Clone()
		d := t.Data.([]float64)
		for j := range d {
			d[j] += step * direction[i][j]
		}
		moved[name] = t
	}
	ys, err := p.loss.Run(moved)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for i, name := range p.outs {
		for j, w := range p.weights[i] {
			sum += w * ys[name].Float64At(j)
		}
	}
	return sum, nil
}

// check compares single coordinates and random directions.
func (p *probe) check(s *rng.Stream) Gradient {
	out := Gradient{Status: Checked}
	largest := 0.0
	for _, g := range p.grad {
		for _, v := range g {
			largest = max(largest, math.Abs(v))
		}
	}
	try := func(direction [][]float64, have, scale float64, what string) bool {
		kink, err := p.compare(direction, have, scale)
		out.Probes++
		if kink {
			out.Kinks++
		}
		if err != nil {
			out.Err = fmt.Errorf("%s: %w", what, err)
		}
		return err == nil
	}
	direction := make([][]float64, len(p.grad))
	for i, g := range p.grad {
		direction[i] = make([]float64, len(g))
		for k := range min(coordinates, len(g)) {
			j := k
			if len(g) > coordinates {
				j = s.IntN(len(g))
			}
			direction[i][j] = 1
			ok := try(direction, g[j], largest, fmt.Sprintf("input %s, element %d", p.names[i], j))
			direction[i][j] = 0
			if !ok {
				return out
			}
		}
		direction[i] = nil
	}
	if out.Kinks > 0 { // where several kinks meet, one-sided differences say nothing about a subgradient
		return out
	}
	for range directions {
		have, norm := 0.0, 0.0
		for i, g := range p.grad {
			direction[i] = make([]float64, len(g))
			for j, v := range g {
				direction[i][j] = 2*s.Float64() - 1
				have += v * direction[i][j]
				norm += math.Abs(v * direction[i][j])
			}
		}
		if !try(direction, have, norm, "a random direction") {
			return out
		}
	}
	return out
}

// compare compares a directional derivative with finite differences. Steps shrink until a central difference of fourth
// order agrees. If none does, and the one-sided differences differ from each other, the point is a kink, and the value
// must lie between the two.
func (p *probe) compare(direction [][]float64, have, scale float64) (kink bool, err error) {
	var left, right, size, central float64
	for _, h := range []float64{1e-3, 1e-4, 1e-5, 1e-6} {
		var v [5]float64
		for i, step := range []float64{-2 * h, -h, 0, h, 2 * h} {
			if v[i], err = p.at(direction, step); err != nil {
				return false, err
			}
			size = max(size, math.Abs(v[i]))
		}
		central = (8*(v[3]-v[1]) - (v[4] - v[0])) / (12 * h)
		noise := 8 * 0x1p-52 * size / h
		if math.Abs(central-have) <= noise+relative*max(scale, math.Abs(have), math.Abs(central)) {
			return false, nil
		}
		left, right = (v[2]-v[1])/h, (v[3]-v[2])/h
	}
	slack := 1e-4 * max(scale, math.Abs(have), 1)
	if math.Abs(left-right) > 2*slack && have >= min(left, right)-slack && have <= max(left, right)+slack {
		return true, nil
	}
	return false, fmt.Errorf("gradient %.10g, central difference %.10g, one-sided %.10g and %.10g", have, central, left, right)
}
