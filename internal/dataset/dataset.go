// Package dataset reads image classification data into compact uint8 arrays and turns them into float32 batches. Every
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
	Name    string   // source and split, for people
	Classes []string // class names; a label is an index into it
	Shape   [3]int   // channels C, height H, width W
	Images  []uint8  // [N, C, H, W]
	Labels  []int32  // [N], each in [0, len(Classes))
}

// Splits is the training and the test part of a source. Both have the same Classes and Shape.
type Splits struct {
	Train, Test *Dataset
}

// Len returns the number of images.
func (d *Dataset) Len() int { return len(d.Labels) }

// Elems returns the number of values of one image, C*H*W.
func (d *Dataset) Elems() int { return d.Shape[0] * d.Shape[1] * d.Shape[2] }

// Subset returns a copy of the images at idx, in that order.
func (d *Dataset) Subset(idx []int) *Dataset {
	elems := d.Elems()
	s := &Dataset{
		Name: d.Name, Classes: d.Classes, Shape: d.Shape,
		Images: make([]uint8, 0, len(idx)*elems),
		Labels: make([]int32, 0, len(idx)),
	}
	for _, i := range idx {
		s.Images = append(s.Images, d.Images[i*elems:(i+1)*elems]...)
		s.Labels = append(s.Labels, d.Labels[i])
	}
	return s
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
	return hex.EncodeToString(h.Sum(nil))
}
