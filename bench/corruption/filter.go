package corruption

import "math"

// border maps an index outside [0,n) to an index inside.
type border func(i, n int) int

// nearest repeats the edge: aaa|abcd|ddd.
func nearest(i, n int) int { return max(0, min(n-1, i)) }

// mirror repeats the image reversed, with the edge: cba|abcd|dcb.
func mirror(i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	i = modulo(i, 2*n)
	return min(i, 2*n-1-i)
}

// mirror101 repeats the image reversed, without the edge: dcb|abcd|cba.
func mirror101(i, n int) int {
	switch {
	case i >= 0 && i < n:
		return i
	case n == 1:
		return 0
	}
	i = modulo(i, 2*n-2)
	return min(i, 2*n-2-i)
}

func modulo(i, n int) int { return ((i % n) + n) % n }

// gaussianBlur convolves a plane [H,W] in both directions with the sampled normal density of deviation sigma up to truncate deviations
// (scipy.ndimage.gaussian_filter). With a radius of 0 it is a no-op.
func (c *canvas) gaussianBlur(plane []float64, sigma, truncate float64, edge border) {
	radius := int(truncate*sigma + 0.5)
	if radius == 0 {
		return
	}
	kernel := gaussianKernel(radius, sigma)
	line := c.buffer(3, max(c.height, c.width)+2*radius)
	for x := range c.width {
		convolve(plane[x:], c.height, c.width, kernel, line, edge)
	}
	for y := range c.height {
		convolve(plane[y*c.width:], c.width, 1, kernel, line, edge)
	}
}

// gaussianKernel is the normal density at -radius to radius, scaled to sum 1.
func gaussianKernel(radius int, sigma float64) []float64 {
	kernel := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range kernel {
		d := float64(i - radius)
		kernel[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	return kernel
}

// convolve filters n values at a stride in place. line is scratch space of n plus the length of the kernel.
func convolve(values []float64, n, stride int, kernel, line []float64, edge border) {
	radius := len(kernel) / 2
	for i := range n {
		line[radius+i] = values[i*stride]
	}
	for i := 1; i <= radius; i++ {
		line[radius-i] = values[edge(-i, n)*stride]
		line[radius+n-1+i] = values[edge(n-1+i, n)*stride]
	}
	for i := range n {
		sum := 0.0
		for k, w := range kernel {
			sum += w * line[i+k]
		}
		values[i*stride] = sum
	}
}

// tap is where linear interpolation reads: at with 1-weight and next with weight.
type tap struct {
	at, next int
	weight   float64
}

// zoomTaps is where each pixel of an axis of n pixels reads under a magnification. The middle ceil(n/factor) pixels are stretched to
// round(ceil(n/factor)*factor) pixels, end on end, and the middle n of these are kept.
func zoomTaps(taps []tap, n int, factor float64) []tap {
	part := int(math.Ceil(float64(n) / factor))
	start := (n - part) / 2
	size := int(math.RoundToEven(float64(part) * factor))
	skip := (size - n) / 2
	taps = taps[:0]
	for i := range n {
		at := 0.0
		if size > 1 {
			at = float64(i+skip) * (float64(part-1) / float64(size-1))
		}
		low := min(int(at), part-1)
		taps = append(taps, tap{start + low, start + min(low+1, part-1), at - float64(low)})
	}
	return taps
}

// zoom is where a magnification about the middle reads rows and columns.
type zoom struct {
	rows, columns []tap
	line          []float64
}

// set prepares a magnification of planes [height,width].
func (z *zoom) set(height, width int, factor float64) {
	z.rows, z.columns = zoomTaps(z.rows, height, factor), zoomTaps(z.columns, width, factor)
	if len(z.line) != width {
		z.line = make([]float64, width)
	}
}

// add adds the magnified plane to sum.
func (z *zoom) add(sum, plane []float64) {
	width, line := len(z.columns), z.line
	for y, v := range z.rows {
		top, bottom, to := plane[v.at*width:][:len(line)], plane[v.next*width:][:len(line)], sum[y*width:][:width]
		for x := range line {
			line[x] = top[x] + v.weight*(bottom[x]-top[x])
		}
		for x := range z.columns {
			h := &z.columns[x]
			to[x] += line[h.at] + h.weight*(line[h.next]-line[h.at])
		}
	}
}

// spot is a place between four pixels: their indices, and the distance from the first of them.
type spot struct {
	topLeft, topRight, bottomLeft, bottomRight int
	y, x                                       float64
}

// spot is the place at row y and column x.
func (c *canvas) spot(y, x float64, edge border) spot {
	fy, fx := math.Floor(y), math.Floor(x)
	top, bottom := edge(int(fy), c.height)*c.width, edge(int(fy)+1, c.height)*c.width
	left, right := edge(int(fx), c.width), edge(int(fx)+1, c.width)
	return spot{top + left, top + right, bottom + left, bottom + right, y - fy, x - fx}
}

// read is the value of a plane at the spot, interpolated linearly.
func (s *spot) read(plane []float64) float64 {
	top := plane[s.topLeft] + s.x*(plane[s.topRight]-plane[s.topLeft])
	bottom := plane[s.bottomLeft] + s.x*(plane[s.bottomRight]-plane[s.bottomLeft])
	return top + s.y*(bottom-top)
}
