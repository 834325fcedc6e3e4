package interp

import (
	"fmt"

	"rnas/compiler/op"
)

// pad extends dimensions or, with negative numbers, crops them. Cropping comes first, so that the modes see only what is left.
// Reflection goes back and forth if the padding is longer than the dimension, as in numpy.
func pad(c *call) ([]*array, error) {
	x, pads := c.in[0], c.in[1].i
	axes := make([]int64, len(x.shape))
	for i := range axes {
		axes[i] = int64(i)
	}
	if a := c.arg(3); a != nil {
		axes = a.i
	}
	if len(pads) != 2*len(axes) {
		return nil, fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
	}
	if _, err := op.Axes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	fill := c.arg(2)
	if fill != nil && (fill.len() != 1 || fill.dtype != x.dtype) {
		return nil, fmt.Errorf("constant: expected one %s, found %s%v", x.dtype, fill.dtype, fill.shape)
	}
	begin := make([]int64, len(x.shape))
	end := make([]int64, len(x.shape))
	for i := range axes {
		a, err := op.Axis(axes[i], len(x.shape))
		if err != nil {
			return nil, err
		}
		begin[a], end[a] = pads[i], pads[len(axes)+i]
	}
	source, err := padSource(c.Str("mode", "constant"))
	if err != nil {
		return nil, err
	}
	shape := make([]int64, len(x.shape))
	for i, d := range x.shape {
		if shape[i] = d + begin[i] + end[i]; shape[i] < 0 {
			return nil, fmt.Errorf("pads %v remove more than dimension %d has", pads, i)
		}
	}
	n, err := numel(shape)
	if err != nil {
		return nil, err
	}
	at := make([]int, 1, max(n, 1))
	for i, step := range strides(x.shape) {
		low, high := max(-begin[i], 0), x.shape[i]-max(-end[i], 0)
		next := make([]int, 0, len(at)*int(shape[i]))
		from := make([]int, shape[i])
		for k := range from {
			s := int64(k) - begin[i]
			if s < low || s >= high {
				if high <= low && c.Str("mode", "constant") != "constant" {
					return nil, fmt.Errorf("dimension %d has no element to repeat", i)
				}
				s = source(s, low, high)
			}
			from[k] = int(s)
		}
		for _, p := range at {
			for _, s := range from {
				if p < 0 || s < 0 {
					next = append(next, -1)
				} else {
					next = append(next, p+s*step)
				}
			}
		}
		at = next
	}
	return one(x.take(shape, at, fill)), nil
}

// padSource returns the function from a place outside [low, high) to the element that stands there, where -1 is the constant.
func padSource(mode string) (func(s, low, high int64) int64, error) {
	switch mode {
	case "constant":
		return func(_, _, _ int64) int64 { return -1 }, nil
	case "wrap":
		return func(s, low, high int64) int64 {
			n := high - low
			return low + ((s-low)%n+n)%n
		}, nil
	case "edge":
		return func(s, low, high int64) int64 { return min(max(s, low), high-1) }, nil
	case "reflect":
		return func(s, low, high int64) int64 {
			period := 2 * (high - low - 1)
			if period == 0 {
				return low
			}
			s = ((s-low)%period + period) % period
			return low + min(s, period-s)
		}, nil
	}
	return nil, fmt.Errorf("attribute mode: %q is not known", mode)
}
