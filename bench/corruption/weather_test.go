package corruption

import (
	"math"
	"slices"
	"testing"

	"rnas/internal/rng"
)

func kind(t *testing.T, name string) Corruption {
	t.Helper()
	for _, k := range All() {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no corruption %s", name)
	return Corruption{}
}

// TestFrost expects the mean colour of every pane on a black image to be that of a photograph, all of them to occur, and
// the contrast to be its own but for what is cut off.
func TestFrost(t *testing.T) {
	const area = 32 * 32
	g, dst := generator(t, [3]int{3, 32, 32}, 0), make([]float32, 3*area)
	found := map[int]int{}
	for point := range 60 {
		clear(dst)
		g.Apply(dst, dst, kind(t, "frost"), 5, point)
		var mean [3]float64
		grey := make([]float64, area)
		for i, v := range dst {
			ice := 255 * float64(v) / 0.45
			mean[i/area] += ice / area
			grey[i%area] += ice / 3
		}
		pane := slices.IndexFunc(frosts[:], func(f struct {
			colour    [3]float64
			deviation float64
		},
		) bool {
			return max(math.Abs(mean[0]-f.colour[0]), math.Abs(mean[1]-f.colour[1]), math.Abs(mean[2]-f.colour[2])) < 4
		})
		if pane < 0 {
			t.Fatalf("point %d: the mean colour %.1f is that of no pane", point, mean)
		}
		found[pane]++
		squares := 0.0
		for _, v := range grey {
			d := v - (mean[0]+mean[1]+mean[2])/3
			squares += d * d / area
		}
		if d := math.Sqrt(squares) / frosts[pane].deviation; d < 0.85 || d > 1.05 {
			t.Errorf("point %d: expected the deviation %.1f, found %.1f", point, frosts[pane].deviation, d*frosts[pane].deviation)
		}
	}
	if len(found) != 4 { // two photographs are the same
		t.Errorf("expected four kinds of panes in 60, found %v", found)
	}
}

// TestPlasma expects heights from 0 to 1 that are smoother where octaves decay faster, and that close at the edges.
func TestPlasma(t *testing.T) {
	g := generator(t, [3]int{3, 33, 50}, 0)
	last := math.Inf(1)
	for _, decay := range []float64{1.2, 1.75, 2, 3} {
		g.canvas.stream = rng.New(0, rng.Corruption, 0, 0, 0)
		heights, side := g.canvas.plasma(decay)
		if side != 64 || slices.Min(heights) != 0 || math.Abs(slices.Max(heights)-1) > 1e-12 {
			t.Errorf("decay %v: expected heights from 0 to 1 of side 64, found %v to %v of %d", decay, slices.Min(heights), slices.Max(heights), side)
		}
		rough := 0.0
		for i, v := range heights {
			y, x := i/side, i%side
			rough += math.Abs(v-heights[y*side+(x+1)%side]) + math.Abs(v-heights[(y+1)%side*side+x])
		}
		if rough >= last {
			t.Errorf("decay %v: expected less than the roughness %v, found %v", decay, last, rough)
		}
		last = rough
	}
}

// TestFog checks a black image, which stays black, and that the brightest value of a white one, where the fog is thickest, is
// kept.
func TestFog(t *testing.T) {
	g, dst := generator(t, [3]int{3, 32, 32}, 0), make([]float32, 3*32*32)
	g.Apply(dst, dst, kind(t, "fog"), 5, 0)
	if slices.Max(dst) != 0 {
		t.Errorf("black: expected no light to scatter, found %v", slices.Max(dst))
	}
	for i := range dst {
		dst[i] = 1
	}
	g.Apply(dst, dst, kind(t, "fog"), 5, 0)
	if want := float32(102) / 255; slices.Max(dst) != 1 || slices.Min(dst) != want { // 1/(1+1.5) where there is no fog
		t.Errorf("white: expected %v to 1, found %v to %v", want, slices.Min(dst), slices.Max(dst))
	}
}
