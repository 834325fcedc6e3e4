package corruption

import "math"

// brightness adds p[0] to the value (the largest channel) of every pixel, and keeps hue and saturation.
func brightness(c *canvas, p []float64) {
	area := c.height * c.width
	for i := range area {
		value := c.pixels[i]
		for k := i; k < len(c.pixels); k += area {
			value = max(value, c.pixels[k])
		}
		bright := unit(value + p[0])
		for k := i; k < len(c.pixels); k += area {
			if value == 0 {
				c.pixels[k] = bright
			} else {
				c.pixels[k] = bright * (1 - (value-c.pixels[k])/value)
			}
		}
	}
}

// fog adds p[0] times a height map of decay p[1], and scales the image back to its brightest value.
func fog(c *canvas, p []float64) {
	brightest := 0.0
	for _, v := range c.pixels {
		brightest = max(brightest, v)
	}
	heights, side := c.plasma(p[1])
	scale := brightest / (brightest + p[0])
	for i := range c.pixels {
		y, x := i/c.width%c.height, i%c.width
		c.pixels[i] = (c.pixels[i] + p[0]*heights[y*side+x]) * scale
	}
}

// snow whitens the image with a share of 1-p[6], and adds flakes and the same flakes turned by 180 degrees. Flakes are normal noise of mean
// p[0] and deviation p[1], magnified by p[2]. Values below p[3] become 0. The flakes are blurred along a line of radius p[4] and deviation
// p[5] that falls at 45 to 135 degrees.
func snow(c *canvas, p []float64) {
	area := c.height * c.width
	noise := c.floats(area)
	c.stream.FillNormal(noise, float32(p[1]))
	draws, flakes := c.buffer(1, area), c.buffer(2, area)
	for i, v := range noise {
		draws[i] = p[0] + float64(v)
	}
	clear(flakes)
	c.zoom.set(c.height, c.width, p[2])
	c.zoom.add(flakes, draws)
	for i, v := range flakes {
		if v < p[3] {
			v = 0
		}
		flakes[i] = math.Floor(255*unit(v)) / 255
	}
	newTrace(int(p[4]), p[5], -135+90*c.stream.Float64()).blur(c, flakes)
	for i := range area {
		grey := c.pixels[i]
		if c.channels == 3 {
			grey = 0.299*c.pixels[i] + 0.587*c.pixels[area+i] + 0.114*c.pixels[2*area+i]
		}
		added := flakes[i] + flakes[area-1-i]
		for k := i; k < len(c.pixels); k += area {
			v := c.pixels[k]
			c.pixels[k] = p[6]*v + (1-p[6])*max(v, grey*1.5+0.5) + added
		}
	}
}

// frosts are the mean colour (red, green, blue) and the deviation of brightness, out of 255, of the five photographs that the published program
// takes parts of. Two of them are the same.
var frosts = [...]struct {
	colour    [3]float64
	deviation float64
}{
	{[3]float64{77.5, 149.0, 165.7}, 17.9},
	{[3]float64{200.8, 205.4, 214.5}, 22.0},
	{[3]float64{200.8, 205.4, 214.5}, 22.0},
	{[3]float64{138.0, 153.2, 165.6}, 29.3},
	{[3]float64{112.3, 123.3, 134.7}, 43.0},
}

// frostDecay is the decay of the height map at which neighbours in the texture of small images correlate as in the photographs at that scale.
const frostDecay = 1.15

// frost adds a share p[1] of a frosted pane to a share p[0] of the image. The pane stands in for a photograph: the crests of a height map, 1
// where the map crosses its mean and less on both sides, with the colour and contrast of a photograph.
func frost(c *canvas, p []float64) {
	pane := frosts[c.stream.IntN(len(frosts))]
	heights, side := c.plasma(frostDecay)
	crests := c.buffer(2, c.height*c.width)
	mean := 0.0
	for _, v := range heights {
		mean += v / float64(len(heights))
	}
	sum, squares := 0.0, 0.0
	for i := range crests {
		crests[i] = -math.Abs(heights[i/c.width*side+i%c.width] - mean)
		sum += crests[i]
		squares += crests[i] * crests[i]
	}
	n := float64(len(crests))
	deviation := math.Sqrt(max(squares/n-sum/n*sum/n, math.SmallestNonzeroFloat32))
	for channel := range c.channels {
		colour := pane.colour[channel]
		if c.channels == 1 {
			colour = (pane.colour[0] + pane.colour[1] + pane.colour[2]) / 3
		}
		plane := c.plane(channel)
		for i, v := range crests {
			ice := unit((colour + pane.deviation*(v-sum/n)/deviation) / 255)
			plane[i] = p[0]*plane[i] + p[1]*ice
		}
	}
}
