package conformance

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"rnas/compiler/interp"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// How much is compared per case.
const (
	coordinates = 6 // of each input
	directions  = 2 // through all inputs
	relative    = 1e-6
	moves       = 6 // points beside a kink that are tried
)

// probe is a function, its gradient, and a point.
type probe struct {
	loss, gradient *interp.Program
	inputs         map[string]*tensor.Tensor // the point
	names          []string                  // of the inputs that vary
	depends        []bool                    // whether the outputs do, so that the gradient program computes it
	outs           []string
	weights        [][]float64
}

// errKink says that the function has no derivative at the point.
var errKink = errors.New("no derivative at this point")

// check compares gradients at the point. Where that is a kink in some direction, they are compared at a point beside it
// too.
func (p *probe) check(s *rng.Stream) Gradient {
	out := Gradient{Status: Checked}
	out.Kinks, out.Err = p.compareAll(s)
	for try := 0; out.Kinks > 0 && out.Err == nil; try++ {
		beside := p.moved(s, try)
		kinks, err := beside.compareAll(s)
		if kinks == 0 {
			out.Err = err
			break
		}
		if try == moves {
			out.Err = fmt.Errorf("kinks at %d points beside the case: %w", moves, errKink)
		}
	}
	return out
}

// moved is the probe at a point beside, further up for even and further down for odd tries.
func (p *probe) moved(s *rng.Stream, try int) *probe {
	out := *p
	out.inputs = map[string]*tensor.Tensor{}
	for _, name := range sorted(p.inputs) {
		t := p.inputs[name]
		if slices.Contains(p.names, name) {
			t = t.Clone()
			d := t.Data.([]float64)
			for j := range d {
				d[j] += (0.02 + 0.06*s.Float64()) * float64(1-2*(try%2))
			}
		}
		out.inputs[name] = t
	}
	return &out
}

// grads runs the gradient program.
func (p *probe) grads() ([][]float64, error) {
	results, err := p.gradient.Run(p.inputs)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(p.names))
	for i, name := range p.names {
		out[i] = make([]float64, p.inputs[name].Len())
		if p.depends[i] {
			r := results["gradient."+name]
			if !slices.Equal(r.Shape, p.inputs[name].Shape) {
				return nil, fmt.Errorf("gradient of %s has shape %v, expected %v", name, r.Shape, p.inputs[name].Shape)
			}
			out[i] = r.Float64s()
		}
	}
	return out, nil
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

// compareAll compares single coordinates and, if none is a kink, random directions. It counts the kinks.
func (p *probe) compareAll(s *rng.Stream) (kinks int, err error) {
	grads, err := p.grads()
	if err != nil {
		return 0, err
	}
	largest := 0.0
	for _, g := range grads {
		for _, v := range g {
			largest = max(largest, math.Abs(v))
		}
	}
	direction := make([][]float64, len(grads))
	for i, g := range grads {
		direction[i] = make([]float64, len(g))
		for k := range min(coordinates, len(g)) {
			j := k
			if len(g) > coordinates {
				j = s.IntN(len(g))
			}
			direction[i][j] = 1
			err := p.compare(direction, g[j], largest)
			direction[i][j] = 0
			if errors.Is(err, errKink) {
				kinks++
			} else if err != nil {
				return kinks, fmt.Errorf("input %s, element %d: %w", p.names[i], j, err)
			}
		}
		direction[i] = nil
	}
	for range directions {
		if kinks > 0 { // where several kinks meet, one-sided differences say nothing about a subgradient
			break
		}
		have, norm := 0.0, 0.0
		for i, g := range grads {
			direction[i] = make([]float64, len(g))
			for j, v := range g {
				direction[i][j] = 2*s.Float64() - 1
				have += v * direction[i][j]
				norm += math.Abs(v * direction[i][j])
			}
		}
		err := p.compare(direction, have, norm)
		if errors.Is(err, errKink) {
			kinks++
		} else if err != nil {
			return kinks, fmt.Errorf("a random direction: %w", err)
		}
	}
	return kinks, nil
}

// compare compares a directional derivative with finite differences. Steps shrink until a central difference of fourth
// order agrees and one-sided derivatives do not differ. If none does, the point may be a kink: the value must lie between
// the one-sided differences; or the function jumps, or is not finite on one side, and the value has nothing to agree with.
func (p *probe) compare(direction [][]float64, have, scale float64) error {
	var left, right [4]float64
	size, central, matched := 0.0, 0.0, false
	for k, h := range []float64{1e-3, 1e-4, 1e-5, 1e-6} {
		var v [5]float64
		for i, step := range []float64{-2 * h, -h, 0, h, 2 * h} {
			var err error
			if v[i], err = p.at(direction, step); err != nil {
				return err
			}
			size = max(size, math.Abs(v[i]))
		}
		central = (8*(v[3]-v[1]) - (v[4] - v[0])) / (12 * h)
		noise := 8 * 0x1p-52 * size / h
		scale = max(scale, math.Abs(have))
		agrees := math.Abs(central-have) <= noise+relative*max(scale, math.Abs(central))
		matched = matched || agrees
		bend := math.Abs(-3*v[2]+4*v[3]-v[4]-(3*v[2]-4*v[1]+v[0])) / (2 * h) // between the one-sided derivatives
		if agrees && bend <= noise+1e-3*scale {
			return nil
		}
		left[k], right[k] = (v[2]-v[1])/h, (v[3]-v[2])/h
	}
	l, r := left[3], right[3]
	if math.IsNaN(l+r) || math.IsInf(l+r, 0) || jumps(left) || jumps(right) {
		return errKink
	}
	slack := 1e-4 * max(scale, 1)
	switch kink := math.Abs(l-r) > 2*slack; {
	case kink && have >= min(l, r)-slack && have <= max(l, r)+slack:
		return errKink
	case !kink && matched:
		return nil
	}
	return fmt.Errorf("gradient %.10g, central difference %.10g, one-sided %.10g and %.10g", have, central, l, r)
}

// jumps reports whether one-sided differences grow without bound as the step shrinks by factors of 10.
func jumps(d [4]float64) bool {
	return math.Abs(d[3]) > 2*math.Abs(d[2]) && math.Abs(d[2]) > 2*math.Abs(d[1])
}
