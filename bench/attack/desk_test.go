package attack

import (
	"context"
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

const (
	size  = 8
	elems = 3 * size * size
)

// convnet is a classifier of images [N,3,8,8] into 5 classes.
func convnet(t *testing.T) program.Classifier {
	t.Helper()
	b := op.NewB("convnet")
	weight := func(name string, scale float32, shape ...int64) *ir.Value {
		v := tensor.Zeros(tensor.Float32, shape...)
		s := rng.New(11, rng.Init, 0, 0, len(name))
		s.FillNormal(v.Float32s(), scale)
		return b.NamedConst(name, v)
	}
	x := b.Input("input", ir.Float32, -1, 3, size, size)
	y := b.Relu(b.Conv(x, weight("a", 0.3, 16, 3, 3, 3), weight("bb", 0.1, 16), op.Same(3, 1, 1)))
	y = b.MaxPool(y, op.Same(3, 2, 1))
	y = b.AveragePool(b.Relu(b.Conv(y, weight("ccc", 0.2, 16, 16, 3, 3), nil, op.Same(3, 1, 1))), op.Same(3, 1, 1))
	b.Output("logits", b.Gemm(b.Flatten(b.GlobalAveragePool(y)), weight("dddd", 1, 5, 16), nil, false, true))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// desk is work whose adversarial images count as survived unless they are misclassified, if classify is set.
type desk struct {
	points   []int
	image    func(index int) Point // nil for point
	next     int
	classify func(images []float32) []int64 // of whole batches
	batch    int
	images   map[int][]float32 // results by point
	broken   map[int]bool
	counts   Counts
	judged   int
}

// point is an image and label made of its index.
func point(p int) Point {
	image := make([]float32, elems)
	s := rng.New(1, rng.Synthetic, 0, 0, p)
	s.FillUniform(image, 0, 1)
	return Point{Index: p, Image: image, Label: int64(s.IntN(5))}
}

func (d *desk) Next(n int) []Point {
	n = min(n, len(d.points)-d.next)
	var all []Point
	image := d.image
	if image == nil {
		image = point
	}
	for _, p := range d.points[d.next : d.next+n] {
		all = append(all, image(p))
	}
	d.next += n
	return all
}

func (d *desk) Logits(points []Point) ([][]float32, error) {
	all := make([][]float32, len(points))
	for i, p := range points {
		s := rng.New(2, rng.Synthetic, 0, 0, p.Index)
		all[i] = make([]float32, 5)
		s.FillUniform(all[i], 0, 1)
		all[i][p.Label] = 2
	}
	return all, nil
}

func (d *desk) Judge(attempts []Attempt) ([]bool, error) {
	broken := make([]bool, len(attempts))
	if d.classify != nil {
		images := make([]float32, d.batch*elems)
		for i, a := range attempts {
			copy(images[i*elems:], a.Adversarial)
		}
		for i, class := range d.classify(images)[:len(attempts)] {
			broken[i] = class != attempts[i].Label
		}
	}
	d.judged += len(attempts)
	for i, a := range attempts {
		if broken[i] || a.Over {
			d.counts.Forwards += a.Forwards
			d.counts.Backwards += a.Backwards
			d.images[a.Index], d.broken[a.Index] = slices.Clone(a.Adversarial), broken[i]
		}
	}
	return broken, nil
}

func stageOf(t *testing.T, name string) Stage {
	t.Helper()
	attacks, err := Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return attacks[0].Stages()[0]
}

// attacked runs an attack on points, n at a time; nothing counts as broken.
func attacked(t *testing.T, st Stage, c program.Classifier, n int, s Settings, points ...int) *desk {
	t.Helper()
	return work(t, st, c, n, s, &desk{points: points})
}

func work(t *testing.T, st Stage, c program.Classifier, n int, s Settings, d *desk) *desk {
	t.Helper()
	orttest.Open(t)
	r, err := st.Compile(Setup{Classifier: func(int) (program.Classifier, error) { return c, nil }, Batch: n, Runtime: ort.Options{Provider: "cpu"}, Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	d.images, d.broken, d.batch = map[int][]float32{}, map[int]bool{}, n
	if err := r.Run(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if len(d.images) != len(d.points) {
		t.Fatalf("%d of %d points are done", len(d.images), len(d.points))
	}
	return d
}

// inputs are those of a program of one try of a method.
func inputs(m method, s Settings, try int, points ...int) map[string]*tensor.Tensor {
	n := int64(len(points))
	images, from := tensor.Zeros(tensor.Float32, n, 3, size, size), tensor.Zeros(tensor.Float32, n, 3, size, size)
	labels := make([]int64, n)
	for i, index := range points {
		p := point(index)
		copy(images.Float32s()[i*elems:], p.Image)
		labels[i] = p.Label
		if m.start != nil {
			stream := rng.New(s.Seed, rng.Start, try, 0, index)
			m.start(from.Float32s()[i*elems:(i+1)*elems], from.Shape[1:], &stream, s)
		}
	}
	return map[string]*tensor.Tensor{"images": images, "labels": tensor.Vector(labels...), "start": from}
}
