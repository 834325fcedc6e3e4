package dataset

import (
	"fmt"
	"slices"

	"rnas/internal/rng"
)

// Augment names the random changes to a training image, in the order in which they apply. The zero value changes
// nothing.
type Augment struct {
	Crop   int  // zero padding on each side, in pixels, before a crop of the original size at random
	Flip   bool // horizontal flip with probability 1/2
	Cutout int  // side of the square of zeros around a random pixel, clipped at the borders (DeVries and Taylor 2017)
}

// draw is what an augmentation does to one image.
type draw struct {
	dy, dx         int // offset of the crop: row y comes from row y+dy
	flip           bool
	y0, y1, x0, x1 int // the pixels that are cut out
}

// draw returns the augmentation of sample index in an epoch, from the streams (seed, Crop|Flip|Cutout, epoch, 0, index).
func (a Augment) draw(height, width int, seed uint64, epoch, index int) (d draw) {
	if a.Crop > 0 {
		s := rng.New(seed, rng.Crop, epoch, 0, index)
		d.dy = s.IntN(2*a.Crop+1) - a.Crop
		d.dx = s.IntN(2*a.Crop+1) - a.Crop
	}
	if a.Flip {
		s := rng.New(seed, rng.Flip, epoch, 0, index)
		d.flip = s.Uint32()&1 == 1
	}
	if a.Cutout > 0 {
		s := rng.New(seed, rng.Cutout, epoch, 0, index)
		y, x := s.IntN(height), s.IntN(width)
		d.y0, d.y1 = max(0, y-a.Cutout/2), min(height, y-a.Cutout/2+a.Cutout)
		d.x0, d.x1 = max(0, x-a.Cutout/2), min(width, x-a.Cutout/2+a.Cutout)
	}
	return d
}

// unit maps a byte v to v/255.
var unit = func() (table [256]float32) {
	for v := range table {
		table[v] = float32(v) / 255
	}
	return table
}()

// Fill writes the images at idx to dst [len(idx), C, H, W] as float32 in [0, 1], augmented by aug, and their labels to
// labels [len(idx)]. The values of an image depend only on the image, its index, aug, seed and epoch. If dst or labels
// is longer, the rest is left alone; if one is shorter, Fill panics. Fill does not allocate.
func (d *Dataset) Fill(dst []float32, labels []int64, idx []int, aug Augment, seed uint64, epoch int) {
	elems, channels, height, width := d.Elems(), d.Shape[0], d.Shape[1], d.Shape[2]
	if len(dst) < len(idx)*elems || len(labels) < len(idx) {
		panic(fmt.Sprintf("dataset: buffers of %d values and %d labels for %d images of %d values", len(dst), len(labels), len(idx), elems))
	}
	for n, i := range idx {
		labels[n] = int64(d.Labels[i])
		to := dst[n*elems : (n+1)*elems]
		if aug == (Augment{}) {
			d.values(to, i*elems)
			continue
		}
		draw := aug.draw(height, width, seed, epoch, i)
		plane := height * width
		for c := range channels {
			draw.apply(to[c*plane:(c+1)*plane], d, i*elems+c*plane, height, width)
		}
	}
}

// values writes the values from number at on, in [0, 1].
func (d *Dataset) values(to []float32, at int) {
	if d.Floats != nil {
		copy(to, d.Floats[at:])
		return
	}
	for i, v := range d.Images[at : at+len(to)] {
		to[i] = unit[v]
	}
}

// apply writes the plane [height, width] that begins at value number at, augmented.
func (d draw) apply(to []float32, from *Dataset, at, height, width int) {
	for y := range height {
		row := to[y*width : (y+1)*width]
		clear(row)
		sy := y + d.dy
		if sy < 0 || sy >= height {
			continue
		}
		if first, end := max(0, -d.dx), min(width, width-d.dx); first < end {
			from.values(row[first:end], at+sy*width+first+d.dx)
		}
		if d.flip {
			slices.Reverse(row)
		}
		if y >= d.y0 && y < d.y1 {
			clear(row[d.x0:d.x1])
		}
	}
}
