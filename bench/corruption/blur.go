package corruption

import "math"

// defocusBlur convolves with a disk of radius p[0] whose edge is blurred with deviation p[1].
func defocusBlur(c *canvas, p []float64) {
	kernel, radius := disk(p[0], p[1])
	side, stride := 2*radius+1, c.width+2*radius
	padded := c.buffer(0, (c.height+2*radius)*stride)
	for channel := range c.channels {
		plane := c.plane(channel)
		for y := range c.height + 2*radius {
			from := plane[mirror101(y-radius, c.height)*c.width:]
			for x := range stride {
				padded[y*stride+x] = from[mirror101(x-radius, c.width)]
			}
		}
		clear(plane)
		for k, w := range kernel {
			if w == 0 {
				continue
			}
			for y := range c.height {
				from := padded[(y+k/side)*stride+k%side:]
				to := plane[y*c.width : (y+1)*c.width]
				for x := range to {
					to[x] += w * from[x]
				}
			}
		}
	}
}

// disk is a kernel [2r+1,2r+1] of sum 1: the pixels within radius of the middle, blurred by a normal density of deviation blur over 3x3
// pixels, or over 5x5 if the radius is above 8. As published, r is the larger of 8 and the radius. Therefore the blur of the largest disks
// meets the border of the kernel, which brightens the image by about 1%.
func disk(radius, blur float64) (kernel []float64, r int) {
	r, reach := 8, 1
	if radius > 8 {
		r, reach = int(radius), 2
	}
	side := 2*r + 1
	kernel = make([]float64, side*side)
	n := 0.0
	for i := range kernel {
		if y, x := float64(i/side-r), float64(i%side-r); y*y+x*x <= radius*radius {
			kernel[i] = 1
			n++
		}
	}
	soft, line := gaussianKernel(reach, blur), make([]float64, side+2*reach)
	for i := range side {
		convolve(kernel[i*side:], side, 1, soft, line, mirror101)
	}
	for i := range side {
		convolve(kernel[i:], side, side, soft, line, mirror101)
	}
	for i := range kernel {
		if kernel[i] /= n; kernel[i] < 1e-12 { // beyond the precision of the sum
			kernel[i] = 0
		}
	}
	return kernel, r
}

// glassBlur blurs with deviation p[0], moves pixels by up to p[1] in p[2] rounds, and blurs again. As in the published program, a pixel takes
// the value of the pixel that is drawn for it, and the drawn pixel keeps its own.
func glassBlur(c *canvas, p []float64) {
	for channel := range c.channels {
		c.gaussianBlur(c.plane(channel), p[0], 4, nearest)
	}
	for i, v := range c.pixels {
		c.pixels[i] = math.Floor(255*v) / 255
	}
	reach, area := int(p[1]), c.height*c.width
	for range int(p[2]) {
		for y := c.height - reach; y > reach; y-- {
			for x := c.width - reach; x > reach; x-- {
				from := y + c.offset(reach)
				at, from := y*c.width+x, from*c.width+x+c.offset(reach)
				for i := 0; i < len(c.pixels); i += area {
					c.pixels[i+at] = c.pixels[i+from]
				}
			}
		}
	}
	for channel := range c.channels {
		c.gaussianBlur(c.plane(channel), p[0], 4, nearest)
	}
}

// offset draws a whole number from -reach to reach-1.
func (c *canvas) offset(reach int) int {
	return int(uint64(c.stream.Uint32())*uint64(2*reach)>>32) - reach
}

// motionBlur blurs along a line of radius p[0] and deviation p[1] at a random angle of up to 45 degrees.
func motionBlur(c *canvas, p []float64) {
	angle := -45 + 90*c.stream.Float64()
	trace := newTrace(int(p[0]), p[1], angle)
	for channel := range c.channels {
		trace.blur(c, c.plane(channel))
	}
}

// trace is a path with a weight at each pixel. The weights are one half of a normal density, as in ImageMagick's MotionBlurImage.
type trace []struct {
	dy, dx int
	weight float64
}

// newTrace is a path of 2*radius+1 pixels from the middle at an angle in degrees, clockwise from the x axis.
func newTrace(radius int, sigma, angle float64) trace {
	t := make(trace, 2*radius+1)
	sin, cos := math.Sincos(angle * math.Pi / 180)
	sum := 0.0
	for i := range t {
		d := float64(i)
		t[i].dy, t[i].dx = int(math.Ceil(float64(d*sin)-0.5)), int(math.Ceil(float64(d*cos)-0.5))
		t[i].weight = math.Exp(-d * d / (2 * sigma * sigma))
		sum += t[i].weight
	}
	for i := range t {
		t[i].weight /= sum
	}
	return t
}

// blur replaces a plane by its weighted sums along the trace, cut off to 8 bits.
func (t trace) blur(c *canvas, plane []float64) {
	source := c.buffer(0, len(plane))
	copy(source, plane)
	clear(plane)
	for _, s := range t {
		for y := range c.height {
			from := source[nearest(y+s.dy, c.height)*c.width:][:c.width]
			to := plane[y*c.width:][:c.width]
			low, high := max(0, -s.dx), min(c.width, c.width-s.dx) // where the source is inside
			for x := range min(low, c.width) {
				to[x] += s.weight * from[0]
			}
			for x := low; x < high; x++ {
				to[x] += s.weight * from[x+s.dx]
			}
			for x := max(high, 0); x < c.width; x++ {
				to[x] += s.weight * from[c.width-1]
			}
		}
	}
	for i, v := range plane {
		plane[i] = math.Floor(255*v+slack) / 255
	}
}

// zoomBlur is the mean of the image and of the image magnified by each factor of numpy.arange(1, p[0], p[1]), whose rounding lets some of the
// ends in.
func zoomBlur(c *canvas, p []float64) {
	step := (1 + p[1]) - 1
	n := int(math.Ceil((p[0] - 1) / p[1]))
	area := c.height * c.width
	sum := c.buffer(0, len(c.pixels))
	copy(sum, c.pixels)
	for i := range n {
		c.zoom.set(c.height, c.width, 1+float64(i)*step)
		for k := 0; k < len(sum); k += area {
			c.zoom.add(sum[k:k+area], c.pixels[k:k+area])
		}
	}
	for i, v := range sum {
		c.pixels[i] = v / float64(n+1)
	}
}
