package corruption

import "math"

// contrast moves every value to the mean of its channel, p[0] of the distance left.
func contrast(c *canvas, p []float64) {
	for channel := range c.channels {
		plane := c.plane(channel)
		mean := 0.0
		for _, v := range plane {
			mean += v
		}
		mean /= float64(len(plane))
		for i, v := range plane {
			plane[i] = (v-mean)*p[0] + mean
		}
	}
}

// pixelate shrinks the sides to p[0] of their length, cut off to whole pixels, and enlarges them again. Both take means over the pixels whose
// middles a pixel covers, rounded to 8 bits after each direction (Pillow's BOX filter).
func pixelate(c *canvas, p []float64) {
	small := [2]int{max(1, int(float64(c.height)*p[0])), max(1, int(float64(c.width)*p[0]))}
	rows, columns := c.buffer(0, c.height*c.width), c.buffer(1, c.height*c.width)
	for i, v := range c.pixels {
		c.pixels[i] = level(v)
	}
	for channel := range c.channels {
		plane := c.plane(channel)
		box(rows, plane, c.height, c.width, small[1])
		boxColumns(columns, rows, c.height, small[1], small[0])
		box(rows, columns, small[0], small[1], c.width)
		boxColumns(plane, rows, small[0], c.width, c.height)
	}
	for i, v := range c.pixels {
		c.pixels[i] = v / 255
	}
}

// box resizes the rows [height,from] of src, whole numbers, to [height,to].
func box(dst, src []float64, height, from, to int) {
	for x := range to {
		low, high := covered(x, from, to)
		for y := range height {
			sum := 0.0
			for k := low; k < high; k++ {
				sum += src[y*from+k]
			}
			dst[y*to+x] = math.Floor(sum/float64(high-low) + 0.5)
		}
	}
}

// boxColumns resizes the columns [from,width] of src to [to,width].
func boxColumns(dst, src []float64, from, width, to int) {
	for y := range to {
		low, high := covered(y, from, to)
		for x := range width {
			sum := 0.0
			for k := low; k < high; k++ {
				sum += src[k*width+x]
			}
			dst[y*width+x] = math.Floor(sum/float64(high-low) + 0.5)
		}
	}
}

// covered is the range [low,high) of the source pixels whose middles lie in pixel i of an axis that is resized from one length to another.
// It holds at least the nearest pixel.
func covered(i, from, to int) (low, high int) {
	scale := float64(from) / float64(to)
	middle, reach := (float64(i)+0.5)*scale, 0.5*max(scale, 1)
	return max(0, int(middle-reach+0.5)), min(from, int(middle+reach+0.5))
}

// elasticTransform moves the image by the affine map that shifts three points about the middle by up to p[2], then moves every pixel by up to
// p[0], blurred with deviation p[1]. All lengths are parts of the shorter side.
func elasticTransform(c *canvas, p []float64) {
	side := float64(min(c.height, c.width))
	distance, sigma, corner := p[0]*side, p[1]*side, p[2]*side
	area := c.height * c.width
	back := c.affine(corner)
	source := c.buffer(0, len(c.pixels))
	copy(source, c.pixels)
	for i := range area {
		x, y := back.map2(float64(i%c.width), float64(i/c.width))
		at := c.spot(y, x, mirror101)
		for k := 0; k < len(source); k += area {
			c.pixels[k+i] = at.read(source[k : k+area])
		}
	}
	if distance == 0 {
		return
	}
	dx, dy := c.shifts(1, distance, sigma), c.shifts(2, distance, sigma)
	copy(source, c.pixels)
	for i := range area {
		at := c.spot(float64(i/c.width)+dy[i], float64(i%c.width)+dx[i], mirror)
		for k := 0; k < len(source); k += area {
			c.pixels[k+i] = at.read(source[k : k+area])
		}
	}
}

// shifts is a plane [H,W] of uniform numbers in [-1,1], blurred with deviation sigma and multiplied by distance. It lies in the scratch
// buffer of that number.
func (c *canvas) shifts(number int, distance, sigma float64) []float64 {
	plane, draws := c.buffer(number, c.height*c.width), c.floats(c.height*c.width)
	c.stream.FillUniform(draws, -1, 1)
	for i, v := range draws {
		plane[i] = float64(v)
	}
	c.gaussianBlur(plane, sigma, 3, mirror)
	for i := range plane {
		plane[i] *= distance
	}
	return plane
}

// affine2 maps (x,y) to (a*x+b*y+c, d*x+e*y+f).
type affine2 [6]float64

func (m affine2) map2(x, y float64) (float64, float64) {
	return m[0]*x + m[1]*y + m[2], m[3]*x + m[4]*y + m[5]
}

// affine draws shifts of three corners of a square about the middle, by up to reach in each direction. The map is from pixels of the result to
// pixels of the source.
func (c *canvas) affine(reach float64) affine2 {
	midX, midY := float64(c.width/2), float64(c.height/2)
	half := float64(min(c.height, c.width) / 3)
	from := [3][2]float64{{midX + half, midY + half}, {midX + half, midY - half}, {midX - half, midY - half}}
	to := from
	for i := range to {
		for k := range to[i] {
			to[i][k] += reach * (2*c.stream.Float64() - 1)
		}
	}
	// Solve from = M to: with edges u, v of the shifted triangle, (x,y) = to[0] + s*u + t*v.
	ux, uy := to[1][0]-to[0][0], to[1][1]-to[0][1]
	vx, vy := to[2][0]-to[0][0], to[2][1]-to[0][1]
	det := ux*vy - uy*vx
	if math.Abs(det) < 1e-9 { // images of a pixel or two have no triangle
		return affine2{1, 0, 0, 0, 1, 0}
	}
	var m affine2
	for k := range 2 {
		p, q := from[1][k]-from[0][k], from[2][k]-from[0][k]
		a, b := (p*vy-q*uy)/det, (q*ux-p*vx)/det
		copy(m[3*k:], []float64{a, b, from[0][k] - a*to[0][0] - b*to[0][1]})
	}
	return m
}
