// Package calibrate measures the ranges of the activations of a model on images, for its quantisation.
package calibrate

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/export"
	"rnas/internal/dataset"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// Method says what the range of an activation is: the range of the central Percentile percent of its numbers, with equal shares left out at
// both ends. With Percentile 100 it is the range of all numbers.
type Method struct{ Percentile float64 }

// defaultPercentile is the percentile of "percentile" without a number.
const defaultPercentile = 99.99

// ParseMethod reads "minmax", "percentile" or a text such as "percentile=99.9". The error tells what was expected and found.
func ParseMethod(text string) (Method, error) {
	name, number, given := strings.Cut(text, "=")
	switch {
	case text == "minmax":
		return Method{100}, nil
	case text == "percentile":
		return Method{defaultPercentile}, nil
	case name == "percentile" && given:
		p, err := strconv.ParseFloat(number, 64)
		if err == nil && p > 50 && p <= 100 {
			return Method{p}, nil
		}
	}
	return Method{}, fmt.Errorf("expected minmax, percentile or percentile=P with P over 50 and at most 100, found %q", text)
}

// String is the text that ParseMethod reads.
func (m Method) String() string {
	if m.Percentile == 100 {
		return "minmax"
	}
	return fmt.Sprintf("percentile=%v", m.Percentile)
}

// Limits of memory: images in a batch, and bytes of the activations of one batch.
const (
	mostImages = 32
	mostBytes  = 256 << 20
)

// Ranges runs a classifier g, images [N,C,H,W] to logits [N,K], on all images of d. It returns the ranges of the values that pass.Quantize asks
// for, by name. The batch of g is symbolic or fixed. If a fixed batch does not divide the images, it is filled up with the first images.
func Ranges(ctx context.Context, g *ir.Graph, d *dataset.Dataset, m Method, o ort.Options) (map[string]pass.Range, error) {
	t, err := open(g, d, o)
	if err != nil {
		return nil, err
	}
	defer t.session.Close()
	ranges := make([]pass.Range, len(t.taps))
	for i := range ranges {
		ranges[i] = pass.Range{Lo: math.Inf(1), Hi: math.Inf(-1)}
	}
	err = t.run(ctx, func(i int, values []float32) error {
		r := &ranges[i]
		for _, v := range values {
			if v != v || math.IsInf(float64(v), 0) {
				return fmt.Errorf("activation %s: %v on the calibration images", t.taps[i].Name, v)
			}
			r.Lo, r.Hi = min(r.Lo, float64(v)), max(r.Hi, float64(v))
		}
		return nil
	})
	if err == nil && m.Percentile < 100 {
		err = t.clip(ctx, ranges, m)
	}
	if err != nil {
		return nil, err
	}
	out := map[string]pass.Range{}
	for i, v := range t.taps {
		out[v.Name] = ranges[i]
	}
	return out, nil
}

// bins is the number of equal parts of a range in which numbers are counted to find percentiles.
const bins = 8192

// clip narrows ranges to the percentile. It runs the model again and counts the numbers in each part of the range.
func (t *tapped) clip(ctx context.Context, ranges []pass.Range, m Method) error {
	counts := make([][]int, len(ranges))
	totals := make([]int, len(ranges))
	for i := range counts {
		counts[i] = make([]int, bins)
	}
	err := t.run(ctx, func(i int, values []float32) error {
		r := ranges[i]
		perUnit := bins / max(r.Hi-r.Lo, math.SmallestNonzeroFloat64)
		for _, v := range values {
			k := int((float64(v) - r.Lo) * perUnit)
			counts[i][min(max(k, 0), bins-1)]++
		}
		totals[i] += len(values)
		return nil
	})
	for i, r := range ranges {
		outside := int(float64(totals[i]) * (100 - m.Percentile) / 200)
		width := (r.Hi - r.Lo) / bins
		lo, hi := 0, bins
		for left := counts[i][lo]; left <= outside && lo < bins-1; left += counts[i][lo] {
			lo++
		}
		for left := counts[i][hi-1]; left <= outside && hi > lo+1; left += counts[i][hi-1] {
			hi--
		}
		ranges[i] = pass.Range{Lo: r.Lo + float64(lo)*width, Hi: r.Lo + float64(hi)*width}
	}
	return err
}

// tapped is a model whose activations are outputs too.
type tapped struct {
	session *ort.Session
	taps    []*ir.Value
	data    *dataset.Dataset
	batch   int
}

// open makes the activations of g outputs and opens a session.
func open(g *ir.Graph, d *dataset.Dataset, o ort.Options) (*tapped, error) {
	if d.Len() == 0 {
		return nil, fmt.Errorf("data %s: no images", d.Name)
	}
	if len(g.Inputs) != 1 || g.Inputs[0].Rank() != 4 || !ir.Shape(g.Inputs[0].Shape[1:]).Equal(ir.Shape{int64(d.Shape[0]), int64(d.Shape[1]), int64(d.Shape[2])}) {
		return nil, fmt.Errorf("expected images %v as in %s, found %v", d.Shape, d.Name, g.Inputs)
	}
	t := &tapped{data: d, taps: pass.Activations(g)}
	bytes := int64(0)
	h := *g
	h.Outputs = nil
	for _, v := range t.taps {
		n := v.Shape.Clone()
		if len(n) > 0 {
			n[0] = 1
		}
		bytes += 4 * max(n.Numel(), 1)
		if g.Input(v.Name) == nil {
			h.Outputs = append(h.Outputs, v)
		}
	}
	t.batch = int(min(max(mostBytes/max(bytes, 1), 1), mostImages, int64(d.Len())))
	if b := g.Inputs[0].Shape[0]; b != ir.N {
		t.batch = int(b)
	}
	model, err := export.Marshal(&h, export.Options{})
	if err != nil {
		return nil, err
	}
	t.session, err = ort.NewSession(model, o)
	return t, err
}

// run calls see with the numbers of every tap i of every batch.
func (t *tapped) run(ctx context.Context, see func(i int, values []float32) error) error {
	images := tensor.Zeros(tensor.Float32, int64(t.batch), int64(t.data.Shape[0]), int64(t.data.Shape[1]), int64(t.data.Shape[2]))
	for start := 0; start < t.data.Len(); start += t.batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		index := make([]int, t.batch)
		for i := range index {
			index[i] = (start + i) % t.data.Len()
		}
		t.data.Fill(images.Float32s(), make([]int64, t.batch), index, dataset.Augment{}, 0, 0)
		out, err := t.session.RunAlloc([]*tensor.Tensor{images})
		if err != nil {
			return err
		}
		named := map[string]*tensor.Tensor{}
		for i, info := range t.session.Outputs() {
			named[info.Name] = out[i]
		}
		for i, v := range t.taps {
			values := images
			if v.Def != nil {
				values = named[v.Name]
			}
			if err := see(i, values.Float32s()); err != nil {
				return err
			}
		}
	}
	return nil
}
