package attack

import (
	"context"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

func TestParse(t *testing.T) {
	for list, want := range map[string][]string{
		"clean": nil, "clean,fgsm,pgd20": {"fgsm", "pgd20"}, "pgd100, fgsm-rs": {"pgd100", "fgsm-rs"}, "pgd1": {"pgd1"},
		"cw,pgd20-t,pgd5-tx3,apgd-ce-eot7": {"cw", "pgd20-t", "pgd5-tx3", "apgd-ce-eot7"},
	} {
		attacks, err := Parse(list)
		var names []string
		for _, a := range attacks {
			names = append(names, a.Name)
		}
		if err != nil || !reflect.DeepEqual(names, want) {
			t.Errorf("%q: expected %q, found %q, %v", list, want, names, err)
		}
	}
	for list, part := range map[string]string{
		"": "expected clean, fgsm, fgsm-rs, pgdK[-dlr|-margin|-t][xR]", "fgsm,": `found ""`, "fgsm,fgsm": "twice", "PGD20": `found "PGD20"`,
		"pgd": `found "pgd"`, "pgd0": `found "pgd0"`, "pgd-1": "found", "pgd07": "found", "pgd+7": "found",
		"pgd99999999999": "found", "pgd1000001": "found", "fgsm20": "found", "pgd20-ce": "found", "pgd20x0": "found",
	} {
		if a, err := Parse(list); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: expected an error with %q, found %v, %v", list, part, a, err)
		}
	}
}

func TestSettings(t *testing.T) {
	good := Settings{Norm: "linf", Epsilon: 8. / 255}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range []Settings{
		{Norm: "l0"},
		{Norm: "linf", Epsilon: -1},
		{Norm: "linf", Epsilon: 1.5},
		{Norm: "linf", Epsilon: math.NaN()},
		{Norm: "linf", StepSize: math.NaN()},
	} {
		if s.Validate() == nil {
			t.Errorf("%+v: expected an error", s)
		}
	}
}

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
	r, err := st.Compile(Target{Classifier: func(int) (program.Classifier, error) { return c, nil }, Batch: n, Runtime: ort.Options{Provider: "cpu"}, Settings: s})
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

// TestInterpreter runs the graphs of the attacks in float64. The images agree except at pixels where the gradient is so
// small that its sign is decided by rounding; a step in another direction there may spread, hence the few steps. One of the
// labels is that of the third largest logit, where the ratio of pgd3-dlr is constant.
func TestInterpreter(t *testing.T) {
	const eps = 8. / 255
	c := convnet(t)
	points := []int{3, 1, 4, 15, 9, 2}
	for name, few := range map[string]int{"fgsm": 2, "fgsm-rs": 2, "pgd3": 8, "pgd3-dlr": elems + 8, "mifgsm": 12, "cw": 40} {
		t.Run(name, func(t *testing.T) {
			s := Settings{Norm: "linf", Epsilon: eps, Seed: 22}
			m := stageOf(t, name).(method)
			d := attacked(t, m, c, len(points), s, points...)
			p, err := m.Program(c, len(points), s)
			if err != nil {
				t.Fatal(err)
			}
			in := inputs(m, s, 0, points...)
			out, err := interp.Run(p.Graph, in)
			if err != nil {
				t.Fatal(err)
			}
			want := out["adversarial"].Float64s()
			images := in["images"]
			small := gradient(t, c, images, in["labels"].Int64s())
			moved, apart := 0, 0
			for i, w := range want {
				v := d.images[points[i/elems]][i%elems]
				if v != images.Float32s()[i] {
					moved++
				}
				if math.Abs(float64(v)-w) > 1e-6 {
					apart++
					if name == "fgsm" && math.Abs(small[i]) > 1e-6 {
						t.Errorf("element %d: expected %v, found %v at the gradient %v", i, w, v, small[i])
					}
				}
			}
			if apart > few || moved < len(want)/2 {
				t.Errorf("%d of %d elements differ from the interpreter's, %d differ from the image", apart, len(want), moved)
			}
		})
	}
}

// gradient is the input gradient of the cross-entropy, in float64.
func gradient(t *testing.T, c program.Classifier, images *tensor.Tensor, labels []int64) []float64 {
	t.Helper()
	p, err := c.Gradient(len(labels))
	if err != nil {
		t.Fatal(err)
	}
	out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{"images": images, "labels": tensor.Vector(labels...)})
	if err != nil {
		t.Fatal(err)
	}
	return out["gradient"].Float64s()
}

// TestPoints checks that what happens to a point depends neither on its row nor on the other points nor on the size of the
// batch, that only its own passes are counted, and that no image leaves the ball or the box.
func TestPoints(t *testing.T) {
	const eps = 4. / 255
	c := convnet(t)
	s := Settings{Norm: "linf", Epsilon: eps, Seed: 8}
	for name, passes := range map[string]int64{"pgd4": 4, "pgd16x2": 32, "mifgsm": 10, "apgd-ce": 101} {
		seen := map[int][]float32{}
		for _, run := range []struct {
			batch  int
			points []int
		}{{5, []int{0, 1, 2, 3, 4}}, {2, []int{4, 2, 0}}, {9, []int{3, 4, 2}}, {2, []int{1, 0, 2, 4, 3}}} {
			d := attacked(t, stageOf(t, name), c, run.batch, s, run.points...)
			if want := passes * int64(len(run.points)); d.counts != (Counts{want, want}) {
				t.Errorf("%s, points %v: expected %d passes, found %+v", name, run.points, want, d.counts)
			}
			for p, x := range d.images {
				if seen[p] == nil {
					seen[p] = x
				} else if !slices.Equal(seen[p], x) {
					t.Errorf("%s, points %v: the image of point %d differs", name, run.points, p)
				}
				for i, v := range x {
					if d := math.Abs(float64(v) - float64(point(p).Image[i])); d > eps+1e-7 || v < 0 || v > 1 {
						t.Fatalf("%s, point %d, element %d: %v from %v", name, p, i, v, point(p).Image[i])
					}
				}
			}
		}
	}
}

// TestStop checks that an attack which stops spends fewer passes on the same points, and breaks the same ones.
func TestStop(t *testing.T) {
	const batch = 8
	c := convnet(t)
	score, err := c.Score(batch)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{classify: func(images []float32) []int64 {
		out, err := interp.Run(score.Graph, map[string]*tensor.Tensor{
			"images": tensor.Of([]int64{batch, 3, size, size}, images...), "labels": tensor.Vector(make([]int64, batch)...),
		})
		if err != nil {
			t.Fatal(err)
		}
		classes := make([]int64, batch)
		for i := range classes {
			z := out["logits"].Float64s()[5*i : 5*i+5]
			classes[i] = int64(slices.Index(z, slices.Max(z)))
		}
		return classes
	}}
	s := Settings{Norm: "linf", Epsilon: 2. / 255, Seed: 8}
	m := stageOf(t, "apgd-ce").(method)
	for p := range 40 {
		d.points = append(d.points, p)
	}
	work(t, m, c, batch, s, d)
	p, err := m.Program(c, len(d.points), s)
	if err != nil {
		t.Fatal(err)
	}
	out, err := interp.Run(p.Graph, inputs(m, s, 0, d.points...))
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for i, p := range d.points {
		if (out["found"].Float64At(i) > 0.5) != d.broken[p] {
			t.Errorf("point %d: broken is %v, in one piece %v", p, d.broken[p], out["found"].Float64At(i))
		}
		if d.broken[p] {
			broken++
		}
	}
	if broken < 5 || broken > 38 {
		t.Errorf("%d of 40 points are broken", broken)
	}
	if most := int64(101*(40-broken) + 40*broken); d.counts.Forwards > most || d.counts.Forwards != d.counts.Backwards {
		t.Errorf("expected at most %d passes, found %+v", most, d.counts)
	}
}

// TestStepSize checks the sizes of the steps by how far a single one moves a pixel.
func TestStepSize(t *testing.T) {
	const eps = 8. / 255
	c := convnet(t)
	for _, k := range []struct {
		name string
		flag float64
		want float64 // largest move without a random start, or the bound of it with one
	}{{"fgsm", 0, eps}, {"fgsm", 1. / 255, eps}, {"pgd1", 0, eps / 4}, {"pgd1", 1. / 255, 1. / 255}, {"fgsm-rs", 1. / 255, 1.25 * eps}} {
		s := Settings{Norm: "linf", Epsilon: eps, StepSize: k.flag, Seed: 2}
		m := stageOf(t, k.name).(method)
		x := attacked(t, m, c, 1, s, 0).images[0]
		from := inputs(m, s, 0, 0)["start"].Float32s()
		largest := 0.0
		for i, v := range x {
			begin := max(0, min(1, point(0).Image[i]+from[i]))
			largest = max(largest, math.Abs(float64(v)-float64(begin)))
		}
		if math.Abs(largest-k.want) > 2e-7 {
			t.Errorf("%s with step size %v: expected a largest move of %v, found %v", k.name, k.flag, k.want, largest)
		}
	}
}
