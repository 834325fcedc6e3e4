package corruption

import "math"

// plasma is a periodic height map [side,side] in [0,1], made by midpoint displacement (diamond-square: Fournier, Fussell, Carpenter 1982). side
// is the smallest power of two that is at least both sides of the image. The displacement falls by decay^2 from one octave to the next. The
// map lies in scratch buffer 1.
func (c *canvas) plasma(decay float64) (heights []float64, side int) {
	side = 1
	for side < max(c.height, c.width) {
		side *= 2
	}
	heights = c.buffer(1, side*side)
	draws := c.floats(side * side)
	c.stream.FillUniform(draws, -1, 1)
	heights[0] = 0
	amplitude, used := 1.0, 0
	at := func(y, x int) float64 { return heights[(y&(side-1))*side+x&(side-1)] }
	displaced := func(a, b, c, d float64) float64 {
		used++
		return (a+b+c+d)/4 + amplitude*float64(draws[used])
	}
	for step := side; step >= 2; step /= 2 {
		half := step / 2
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				heights[(y+half)*side+x+half] = displaced(at(y, x), at(y, x+step), at(y+step, x), at(y+step, x+step))
			}
		}
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				middle := at(y+half, x+half)
				heights[y*side+x+half] = displaced(middle, at(y-half, x+half), at(y, x), at(y, x+step))
				heights[(y+half)*side+x] = displaced(middle, at(y+half, x-half), at(y, x), at(y+step, x))
			}
		}
		amplitude /= decay * decay
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range heights {
		low, high = min(low, v), max(high, v)
	}
	scale := 1 / max(high-low, math.SmallestNonzeroFloat32)
	for i, v := range heights {
		heights[i] = (v - low) * scale
	}
	return heights, side
}
