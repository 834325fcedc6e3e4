package corruption

import "math"

// gaussianNoise adds normal noise of deviation p[0].
func gaussianNoise(c *canvas, p []float64) {
	noise := c.floats(len(c.pixels))
	c.stream.FillNormal(noise, float32(p[0]))
	for i := range c.pixels {
		c.pixels[i] += float64(noise[i])
	}
}

// impulseNoise replaces a share p[0] of the values by 0 or 1, with equal probability.
func impulseNoise(c *canvas, p []float64) {
	draws := c.floats(len(c.pixels))
	c.stream.FillUniform(draws, 0, 1)
	for i, u := range draws {
		switch u := float64(u); {
		case u < p[0]/2:
			c.pixels[i] = 0
		case u < p[0]:
			c.pixels[i] = 1
		}
	}
}

// shotNoise draws each value from the Poisson distribution of mean p[0]*value and divides it by p[0].
func shotNoise(c *canvas, p []float64) {
	if c.poisson.photons != p[0] {
		c.poisson = poisson{photons: p[0]}
	}
	for i, v := range c.pixels {
		c.pixels[i] = float64(c.poisson.draw(int(level(v)), c.stream.Float64())) / p[0]
	}
}

// poisson is the distributions of the number of photons at each of the 256 levels. Each is made when it is first needed.
type poisson struct {
	photons float64 // expected at level 255
	counts  [256]counts
}

// counts is a distribution of whole numbers from 0: the cumulative probabilities, and for each u = k/guides the first number whose cumulative
// probability passes u.
type counts struct {
	sums  []float64
	guide [guides]int
}

const guides = 64

// draw is the smallest number whose cumulative probability at a level passes u in [0,1), or the last number if none does.
func (p *poisson) draw(level int, u float64) int {
	c := &p.counts[level]
	if c.sums == nil {
		c.sums = cumulative(p.photons * float64(level) / 255)
		n := 0
		for k := range c.guide {
			for n < len(c.sums)-1 && c.sums[n] <= float64(k)/guides {
				n++
			}
			c.guide[k] = n
		}
	}
	n := c.guide[int(guides*u)]
	for n < len(c.sums)-1 && c.sums[n] <= u {
		n++
	}
	return n
}

// cumulative lists P(X <= k) of a Poisson distribution, by k from 0 up to where it no longer grows. mean is at most 700.
func cumulative(mean float64) []float64 {
	probability := math.Exp(-mean)
	sums := []float64{probability}
	for k := 1; ; k++ {
		probability *= mean / float64(k)
		next := sums[k-1] + probability
		if next == sums[k-1] && float64(k) > mean {
			return sums
		}
		sums = append(sums, next)
	}
}
