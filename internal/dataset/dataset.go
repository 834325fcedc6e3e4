// Package dataset reads image classification data into compact uint8 arrays, or float32 where a source holds floats, and turns them into
// float32 batches. Every
// result depends only on the content of the source and on seeds, never on timing, batch size or the number of workers.
package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"rnas/internal/rng"
)

// Dataset is a set of labelled images of one shape.
type Dataset struct {
	Name     string    // source and split, for people
	Classes  []string  // class names; a label is an index into it
	Numbered bool      // Classes are numbers, as many as the labels need: the source has no names of classes
	Shape    [3]int    // channels C, height H, width W
	Images   []uint8   // [N, C, H, W]
	Floats   []float32 // [N, C, H, W] in [0, 1], of sources that hold floats; Images is nil then
	Labels   []int32   // [N], each in [0, len(Classes))

	Rows    []int     // [N] places in the split of the source; nil for 0, 1, 2, ...
	Files   []string  // by place in the split of the source: the file below its root; nil for sources of arrays
	LeftOut []LeftOut // what the split of the source holds and could not be read
	Notes   []string  // what else people should know about how the source was read
}

// Splits is the training and the test part of a source, which have the same Classes and Shape. A part that the source lacks has no images.
type Splits struct {
	Train, Test *Dataset
	// Val is a validation part of a source that has a test part besides; nil for none. A validation part alone is Test.
	Val       *Dataset
	valAsTest bool // Test is a validation part
}

// Len returns the number of images.
func (d *Dataset) Len() int { return len(d.Labels) }

// Elems returns the number of values of one image, C*H*W.
func (d *Dataset) Elems() int { return d.Shape[0] * d.Shape[1] * d.Shape[2] }

// Row is the place of image i in the split of the source.
func (d *Dataset) Row(i int) int {
	if d.Rows == nil {
		return i
	}
	return d.Rows[i]
}

// File is the file of image i below the root of the source, "" for sources of arrays.
func (d *Dataset) File(i int) string {
	if d.Files == nil {
		return ""
	}
	return d.Files[d.Row(i)]
}

// Subset returns a copy of the images at idx, in that order.
func (d *Dataset) Subset(idx []int) *Dataset {
	elems := d.Elems()
	s := *d
	s.Images, s.Floats = nil, nil
	s.Labels, s.Rows = make([]int32, 0, len(idx)), make([]int, 0, len(idx))
	if d.Floats != nil {
		s.Floats = make([]float32, 0, len(idx)*elems)
	} else {
		s.Images = make([]uint8, 0, len(idx)*elems)
	}
	for _, i := range idx {
		if d.Floats != nil {
			s.Floats = append(s.Floats, d.Floats[i*elems:(i+1)*elems]...)
		} else {
			s.Images = append(s.Images, d.Images[i*elems:(i+1)*elems]...)
		}
		s.Labels = append(s.Labels, d.Labels[i])
		s.Rows = append(s.Rows, d.Row(i))
	}
	return &s
}

// Join is the images of several parts of one source, one part after the other. The file of an image is told, its row is that in the whole.
func Join(parts ...*Dataset) *Dataset {
	whole := *parts[0]
	whole.Rows, whole.Files = nil, nil
	whole.Images, whole.Floats, whole.Labels = slices.Clone(whole.Images), slices.Clone(whole.Floats), slices.Clone(whole.Labels)
	for k, d := range parts {
		for i := range d.Labels {
			if f := d.File(i); f != "" {
				whole.Files = append(whole.Files, f)
			}
		}
		if k > 0 {
			whole.Images, whole.Floats, whole.Labels = append(whole.Images, d.Images...), append(whole.Floats, d.Floats...), append(whole.Labels, d.Labels...)
			whole.LeftOut, whole.Notes = append(slices.Clip(whole.LeftOut), d.LeftOut...), append(slices.Clip(whole.Notes), d.Notes...)
		}
	}
	return &whole
}

// Limit returns the first n images of the stratified order of seed: each class is shuffled, then the classes are
// interleaved in proportion to their sizes, so that every prefix holds the class frequencies of the whole to within one
// image a class. The limit of a smaller n is a prefix of that of a larger one. If n <= 0 or n >= d.Len() it returns d.
func (d *Dataset) Limit(n int, seed uint64) *Dataset {
	if n <= 0 || n >= d.Len() {
		return d
	}
	return d.Subset(d.stratified(seed, rng.Limit)[:n])
}

// Split divides d into two parts with the class frequencies of the whole (to within one image a class): the first
// round(fraction*N) images of the stratified order of seed, and the rest. Both keep the order of d. It is an error if
// either would be empty.
func (d *Dataset) Split(fraction float64, seed uint64) (first, second *Dataset, err error) {
	n := int(math.Round(fraction * float64(d.Len())))
	if !(fraction > 0 && fraction < 1) || n == 0 || n == d.Len() {
		return nil, nil, fmt.Errorf("split of %d images of %s at fraction %v: expected two parts that are not empty", d.Len(), d.Name, fraction)
	}
	order := d.stratified(seed, rng.Split)
	slices.Sort(order[:n])
	slices.Sort(order[n:])
	return d.Subset(order[:n]), d.Subset(order[n:]), nil
}

// stratified returns the order described at Limit. Image number r of the m of its shuffled class has the place
// (2r+1)/2m; equal places are ordered by class.
func (d *Dataset) stratified(seed uint64, purpose rng.Purpose) []int {
	members := make([][]int, len(d.Classes))
	for i, label := range d.Labels {
		members[label] = append(members[label], i)
	}
	type place struct{ rank, size, class, index int }
	places := make([]place, 0, d.Len())
	for class, m := range members {
		stream := rng.New(seed, purpose, 0, 0, class)
		for rank, j := range stream.Perm(len(m)) {
			places = append(places, place{2*rank + 1, len(m), class, m[j]})
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if c := a.rank*b.size - b.rank*a.size; c != 0 {
			return c
		}
		return a.class - b.class
	})
	order := make([]int, len(places))
	for i, p := range places {
		order[i] = p.index
	}
	return order
}

// Digest returns the SHA-256 of the content in hexadecimal: shape, class names, labels and images, not the name.
func (d *Dataset) Digest() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d\n", d.Shape, d.Len())
	for _, class := range d.Classes {
		fmt.Fprintf(h, "%q\n", class)
	}
	labels := make([]byte, 0, 4*len(d.Labels))
	for _, label := range d.Labels {
		labels = binary.LittleEndian.AppendUint32(labels, uint32(label))
	}
	h.Write(labels)
	h.Write(d.Images)
	if d.Floats != nil {
		_ = binary.Write(h, binary.LittleEndian, d.Floats) // a hash takes all bytes
	}
	return hex.EncodeToString(h.Sum(nil))
}
