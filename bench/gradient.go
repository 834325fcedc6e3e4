package bench

import (
	"context"
	"math"
	"slices"

	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
)

// What the worker of task "gradient" finds at a point. A value is the sum of these.
const (
	slopeZero      = 1 << iota // the gradient of the cross-entropy is zero in every pixel
	slopeNaN                   // the gradient of the cross-entropy is not a number
	slopeSaturated             // all probabilities but the largest are below the smallest normal float32
	slopeSame                  // the gradient of a fixed sum of the logits is that of the reference point, and not zero
	slopeBent                  // that sum differs from the reference point's by another amount than this gradient tells
)

const (
	slopeSlack = 1e-6 // distance of two equal gradients, relative to their norm
	bentSlack  = 0.1  // error of the difference of two sums of logits that a gradient foretells, relative to the difference
)

// gradient is the worker of task "gradient". A model with the same gradient everywhere is linear in the pixels, or the gradient is not that
// of its logits. The values at the reference point tell which.
type gradient struct {
	*subject
	state     *ort.Store
	running   *runtime.Running
	reference slope
}

// slope is an image with a fixed sum of its logits and the gradient of that sum.
type slope struct {
	image, gradient []float32
	value           float64
}

// gradient opens the worker of task "gradient" with the index of the reference point.
func (s *subject) gradient(reference int) (worker, error) {
	c, err := s.model.classifier(s.model.batch)
	if err != nil {
		return nil, err
	}
	p, err := slopes(c, s.model.batch)
	if err != nil {
		return nil, err
	}
	w := &gradient{subject: s, state: ort.NewStore()}
	if w.running, err = runtime.Launch(p, w.state, s.job.Runtime); err != nil {
		w.state.Close()
		return nil, err
	}
	s.fill([]int{reference})
	if err := w.step(); err != nil {
		w.Close()
		return nil, err
	}
	w.reference = w.slope(0)
	return w, nil
}

// slopes is a program with inputs images [B,C,H,W] and labels int64 [B]. Outputs: logits [B,K]; gradient [B,C,H,W] of the cross-entropy; sum
// [B] of the logits with alternating signs; tilt [B,C,H,W], the gradient of sum.
func slopes(c program.Classifier, batch int) (*program.Program, error) {
	b := op.NewB("slopes")
	images, labels := c.Open(b, batch)
	logits := c.Logits(b, images)
	ce, _ := program.CriterionNamed("ce")
	signs := make([]float32, c.Classes())
	for i := range signs {
		signs[i] = float32(1 - 2*(i%2))
	}
	sum := b.ReduceSum(b.Mul(logits, b.Const("signs", tensor.Of([]int64{1, c.Classes()}, signs...))), false, 1)
	b.Output("logits", b.Identity(logits))
	b.Output("gradient", program.RawInputGradient(b, ce.Of(b, logits, labels), images))
	b.Output("sum", b.Identity(sum))
	b.Output("tilt", program.RawInputGradient(b, sum, images))
	return program.Finish(b)
}

func (w *gradient) run(ctx context.Context, points []int, emit func(record) error) error {
	return w.batches(ctx, points, emit, w.one)
}

// step runs the program on the buffers.
func (w *gradient) step() error {
	copy(w.running.Input("images").Float32s(), w.images)
	copy(w.running.Input("labels").Int64s(), w.labels)
	return w.running.Step()
}

// slope is the slope of a row of the batch.
func (w *gradient) slope(row int) slope {
	n := w.job.data.Elems()
	return slope{
		image:    slices.Clone(w.images[row*n : (row+1)*n]),
		gradient: slices.Clone(w.running.Output("tilt").Float32s()[row*n : (row+1)*n]),
		value:    float64(w.running.Output("sum").Float32s()[row]),
	}
}

func (w *gradient) one(points []int) (record, error) {
	if err := w.step(); err != nil {
		return record{}, err
	}
	g, logits := w.running.Output("gradient").Float32s(), w.running.Output("logits").Float32s()
	r := record{Values: make([]int, len(points))}
	n := w.job.data.Elems()
	for row := range points {
		switch size := norm(g[row*n : (row+1)*n]); {
		case math.IsNaN(size):
			r.Values[row] = slopeNaN
		case size == 0:
			r.Values[row] = slopeZero
		}
		if saturated(w.model.row(logits, row)) {
			r.Values[row] |= slopeSaturated
		}
		r.Values[row] |= w.reference.compare(w.slope(row))
	}
	return r, nil
}

// compare tells whether another point has the same gradient: 0, slopeSame, or slopeSame and slopeBent.
func (s slope) compare(other slope) int {
	apart, foretold := 0.0, 0.0
	for i, v := range s.gradient {
		d := float64(other.gradient[i]) - float64(v)
		apart += d * d
		foretold += float64(v) * (float64(other.image[i]) - float64(s.image[i]))
	}
	size := norm(s.gradient)
	if !(size > 0 && math.Sqrt(apart) <= slopeSlack*size) {
		return 0
	}
	if change := other.value - s.value; !(math.Abs(change-foretold) <= bentSlack*math.Abs(foretold)) {
		return slopeSame | slopeBent
	}
	return slopeSame
}

// saturated reports whether all probabilities but the largest are below the smallest normal float32. The probabilities are the softmax of
// logits, or logits themselves if they look like probabilities.
func saturated(logits []float32) bool {
	const smallest = 0x1p-126 // normal float32
	best := predict(logits)
	if best == noClass {
		return false
	}
	scores := probabilities(logits)
	for i, v := range logits {
		p := float64(v)
		if !scores {
			p = math.Exp(float64(v) - float64(logits[best]))
		}
		if i != best && p >= smallest {
			return false
		}
	}
	return true
}

func (w *gradient) Close() error {
	err := w.running.Close()
	if cerr := w.state.Close(); err == nil {
		err = cerr
	}
	return err
}
