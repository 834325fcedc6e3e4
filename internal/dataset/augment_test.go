package dataset

import (
	"slices"
	"testing"

	"rnas/internal/rng"
)

// random returns n images of random bytes.
func random(n int, shape [3]int) *Dataset {
	d := &Dataset{Classes: []string{"a", "b"}, Shape: shape, Labels: make([]int32, n)}
	s := rng.New(1, rng.Probe, 0, 0, 0)
	for range n * d.Elems() {
		d.Images = append(d.Images, 1+uint8(s.IntN(255))) // no zeros: those mark padding and cutout
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 2)
	}
	return d
}

// reference augments one image by the definition: pad, crop, flip, cut out.
func reference(d *Dataset, i int, aug Augment, seed uint64, epoch int) []float32 {
	channels, height, width := d.Shape[0], d.Shape[1], d.Shape[2]
	crop, flip, cut := rng.New(seed, rng.Crop, epoch, 0, i), rng.New(seed, rng.Flip, epoch, 0, i), rng.New(seed, rng.Cutout, epoch, 0, i)
	top, left := crop.IntN(2*aug.Crop+1), crop.IntN(2*aug.Crop+1)
	flipped := aug.Flip && flip.Uint32()&1 == 1
	cy, cx := cut.IntN(height), cut.IntN(width)
	var out []float32
	for c := range channels {
		for y := range height {
			for x := range width {
				sx := x
				if flipped {
					sx = width - 1 - x
				}
				sy := y + top - aug.Crop
				sx += left - aug.Crop
				var v float32
				if sy >= 0 && sy < height && sx >= 0 && sx < width {
					v = float32(d.Images[i*d.Elems()+(c*height+sy)*width+sx]) / 255
				}
				if y >= cy-aug.Cutout/2 && y < cy+aug.Cutout/2 && x >= cx-aug.Cutout/2 && x < cx+aug.Cutout/2 {
					v = 0
				}
				out = append(out, v)
			}
		}
	}
	return out
}

func TestFillEqualsReference(t *testing.T) {
	d := random(40, [3]int{3, 7, 9})
	for _, aug := range []Augment{
		{},
		{Crop: 2},
		{Crop: 12},
		{Flip: true},
		{Cutout: 4},
		{Cutout: 40},
		{Crop: 3, Flip: true, Cutout: 4},
	} {
		dst, labels := make([]float32, d.Elems()), make([]int64, 1)
		for i := range d.Len() {
			d.Fill(dst, labels, []int{i}, aug, 5, 2)
			if !slices.Equal(dst, reference(d, i, aug, 5, 2)) || labels[0] != int64(i%2) {
				t.Fatalf("image %d under %+v differs from the definition", i, aug)
			}
		}
	}
}

func TestFillCoversAllDraws(t *testing.T) {
	d := random(400, [3]int{1, 4, 4})
	offsets, flips := map[[2]int]int{}, 0
	for i := range d.Len() {
		draw := Augment{Crop: 1, Flip: true, Cutout: 1}.draw(4, 4, 0, 0, i)
		offsets[[2]int{draw.dy, draw.dx}]++
		if draw.flip {
			flips++
		}
		if draw.y1-draw.y0 != 1 || draw.x1-draw.x0 != 1 {
			t.Errorf("cutout of side 1 is %+v", draw)
		}
	}
	if len(offsets) != 9 || flips < 150 || flips > 250 {
		t.Errorf("offsets %v, %d flips of 400", offsets, flips)
	}
}

func TestFillIndependentOfBatch(t *testing.T) {
	d := random(30, [3]int{3, 8, 8})
	aug := Augment{Crop: 2, Flip: true, Cutout: 3}
	order := (&Loader{Data: d, Batch: 1, Shuffle: true, Seed: 4}).Order(1)
	whole, labels := make([]float32, 30*d.Elems()), make([]int64, 30)
	d.Fill(whole, labels, order, aug, 4, 1)
	for start := 0; start < 30; start += 7 {
		idx := order[start:min(30, start+7)]
		part, partLabels := make([]float32, len(idx)*d.Elems()), make([]int64, len(idx))
		d.Fill(part, partLabels, idx, aug, 4, 1)
		if !slices.Equal(part, whole[start*d.Elems():][:len(part)]) || !slices.Equal(partLabels, labels[start:][:len(idx)]) {
			t.Fatalf("batch at %d differs", start)
		}
	}
	again := make([]float32, len(whole))
	d.Fill(again, labels, order, aug, 4, 2)
	if slices.Equal(again, whole) {
		t.Error("the epoch does not matter")
	}
}

func TestFillBuffers(t *testing.T) {
	d := random(8, [3]int{3, 8, 8})
	dst, labels, idx := make([]float32, 9*d.Elems()), make([]int64, 9), []int{7, 0, 3}
	dst[3*d.Elems()], labels[3] = -1, -1
	if n := testing.AllocsPerRun(5, func() { d.Fill(dst, labels, idx, Augment{Crop: 1, Flip: true, Cutout: 2}, 1, 1) }); n != 0 {
		t.Errorf("Fill allocates %v times", n)
	}
	if dst[3*d.Elems()] != -1 || labels[3] != -1 {
		t.Error("Fill writes past the last image")
	}
	defer func() {
		if recover() == nil {
			t.Error("Fill into a short buffer did not panic")
		}
	}()
	d.Fill(dst[:d.Elems()], labels, idx, Augment{}, 1, 1)
}

func BenchmarkFill(b *testing.B) {
	d := random(256, [3]int{3, 32, 32})
	dst, labels := make([]float32, 256*d.Elems()), make([]int64, 256)
	idx := (&Loader{Data: d, Batch: 1}).Order(0)
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		d.Fill(dst, labels, idx, Augment{Crop: 4, Flip: true, Cutout: 16}, 1, 1)
	}
}
