package corruption

import (
	"math"
	"testing"
)

// TestTrace blurs one bright pixel: the light lies on a line against the direction of the trace, falls off normally and
// none is lost.
func TestTrace(t *testing.T) {
	const size, at, radius, sigma = 41, 20, 8, 3
	for _, way := range []struct {
		angle  float64
		dy, dx float64
	}{{0, 0, 1}, {90, 1, 0}, {45, math.Sqrt2 / 2, math.Sqrt2 / 2}, {-20, -math.Sin(math.Pi / 9), math.Cos(math.Pi / 9)}} {
		path := newTrace(radius, sigma, way.angle)
		if len(path) != 2*radius+1 {
			t.Fatalf("expected %d pixels, found %d", 2*radius+1, len(path))
		}
		want, sum := make([]float64, size*size), 0.0
		for i, s := range path {
			if d := math.Hypot(float64(s.dy)-float64(i)*way.dy, float64(s.dx)-float64(i)*way.dx); d > math.Sqrt2/2+1e-9 {
				t.Errorf("%v degrees: pixel %d is %v from the line", way.angle, i, d)
			}
			if r := s.weight / path[0].weight; math.Abs(r-math.Exp(-float64(i*i)/(2*sigma*sigma))) > 1e-12 {
				t.Errorf("%v degrees: weight %d is %v of the first", way.angle, i, r)
			}
			sum += s.weight
			want[(at-s.dy)*size+at-s.dx] += s.weight
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%v degrees: expected weights of sum 1, found %v", way.angle, sum)
		}
		c := canvas{channels: 1, height: size, width: size}
		plane := make([]float64, size*size)
		plane[at*size+at] = 1
		path.blur(&c, plane)
		for i, v := range plane {
			if v != math.Floor(255*want[i]+slack)/255 {
				t.Fatalf("%v degrees, pixel %d: expected %v cut to 8 bits, found %v", way.angle, i, want[i], v)
			}
		}
	}
}

// TestGlass checks the severity without blur: every pixel inside has the colour of one of the four above and left of it and
// itself, each as often, and the border its own.
func TestGlass(t *testing.T) {
	const size, area = 32, 32 * 32
	images := pictures(3, 3, size, size)[6*area:] // noise: colours are unique
	dst, counts, inside := make([]float32, 3*area), [4]int{}, 0
	g := generator(t, [3]int{3, size, size}, 0)
	for point := range 10 {
		g.Apply(dst, images, kind(t, "glass_blur"), 1, point)
		for i := range area {
			y, x := i/size, i%size
			from := -1
			for k := range 4 {
				j := i - k/2*size - k%2
				if j >= 0 && dst[i] == images[j] && dst[area+i] == images[area+j] && dst[2*area+i] == images[2*area+j] {
					from = k
				}
			}
			if border := min(y, x) < 2; from < 0 || border && from != 0 {
				t.Fatalf("point %d, row %d, column %d: comes from neighbour %d", point, y, x, from)
			} else if !border {
				counts[from]++
				inside++
			}
		}
	}
	for k, n := range counts {
		if e := 5 * math.Sqrt(float64(inside)*3/16); math.Abs(float64(n)-float64(inside)/4) > e {
			t.Errorf("neighbour %d: expected %d to %.0f, found %d", k, inside/4, e, n)
		}
	}
}
