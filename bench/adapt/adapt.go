package adapt

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/train"
)

// Model is a model as every command takes it.
type Model struct {
	// Graph has one input float32 [N,C,H,W] of pixels in [0,1] and logits [N,K] as first output. N is ir.N where the batch is open.
	Graph *ir.Graph
	// Plain says that Graph is the file as it is.
	Plain bool
	// Words says what was adapted or chosen, one entry each; none for nothing.
	Words []string
}

// Classes is the number of logits.
func (m *Model) Classes() int { return int(m.Graph.Outputs[0].Shape[1]) }

// Image is the shape C, H, W of the images.
func (m *Model) Image() []int64 { return m.Graph.Inputs[0].Shape[1:] }

// Size says which batch a graph is read for: Fixed where it is not 0; else an open one, or Needed where the graph has none (0 for 1).
type Size struct{ Fixed, Needed int64 }

// Read reads the bytes of an ONNX model, whose external tensors are in dir, and adapts it to images. It decides by the flags, then by the
// metadata, then by what the file declares and what is known of the images. Errors say what was expected and found, and the flag that helps.
func Read(data []byte, dir string, f Flags, im Images, size Size) (*Model, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	sig, err := export.ReadSignature(data)
	if err != nil {
		return nil, err
	}
	in, err := imageInput(sig.Inputs, im, f)
	if err != nil {
		return nil, err
	}
	f, recorded, err := f.recorded(sig.Meta)
	if err != nil {
		return nil, err
	}
	image, err := im.known(f)
	if err != nil {
		return nil, err
	}
	ways, err := arrangements(in, image, f.Layout, im.Name)
	if err != nil {
		return nil, err
	}
	r := reading{data: data, dir: dir, in: in, flags: f, images: im, size: size}
	m, err := r.first(ways)
	if err != nil {
		return nil, err
	}
	m.Words = append(recorded, m.Words...)
	return m, nil
}

// imageInput is the one input that no initializer gives a value.
func imageInput(inputs []export.Declared, im Images, f Flags) (export.Declared, error) {
	want := "one input of images"
	if shape, err := im.known(f); err == nil && shape != nil {
		want = fmt.Sprintf("one input float32[N,%d,%d,%d] as in %s", shape[0], shape[1], shape[2], im.Name)
	}
	if len(inputs) != 1 {
		var text []string
		for _, v := range inputs {
			text = append(text, v.String())
		}
		return export.Declared{}, fmt.Errorf("expected %s, found %d inputs %v", want, len(inputs), text)
	}
	if in := inputs[0]; !in.Type.IsFloat() && in.Type != tensor.Uint8 {
		return in, fmt.Errorf("expected %s, found %s", want, in)
	}
	return inputs[0], nil
}

// reading is a file with what is asked of it.
type reading struct {
	data   []byte
	dir    string
	in     export.Declared
	flags  Flags
	images Images
	size   Size
}

// first is the first of the ways that gives a model: with a batch that is open or can be opened, then as the file declares it.
func (r *reading) first(ways []arrangement) (*Model, error) {
	var failed error
	for _, open := range []bool{true, false} {
		for _, way := range ways {
			if open && way.batch > 1 || !open && way.batch == ir.N && !errors.Is(failed, export.ErrSymbolic) {
				continue
			}
			m, err := r.try(way, open)
			if err == nil {
				return m, nil
			}
			if failed == nil || !open && way.batch != ir.N {
				failed = err // what the file says without changes is the better reason
			}
		}
	}
	return nil, failed
}

// try makes the model of one way.
func (r *reading) try(way arrangement, open bool) (*Model, error) {
	g, words, err := r.graph(way, open)
	if err != nil {
		return nil, err
	}
	m, err := r.adapt(g, way, open)
	if err != nil {
		return nil, err
	}
	m.Words = append(words, m.Words...)
	return m, nil
}

// graph reads the file for one way of taking images. With open, the batch is open afterwards, or has the size that was asked for.
func (r *reading) graph(a arrangement, open bool) (*ir.Graph, []string, error) {
	o := export.ReadOptions{Dir: r.dir, Image: a.rest}
	switch {
	case r.in.Dims == nil:
		o.Shapes = map[string]ir.Shape{r.in.Name: a.input(ir.N)}
	case a.batch == ir.N && open:
		o.Batch = r.size.Fixed
	case a.batch == ir.N:
		o.Batch = max(1, r.size.Fixed, r.size.Needed)
		g, err := export.Unmarshal(r.data, o)
		return g, []string{fmt.Sprintf("the graph needs a batch size, which is %d", o.Batch)}, err
	case open:
		o.Shapes = map[string]ir.Shape{r.in.Name: a.input(ir.N)}
		g, err := export.Unmarshal(r.data, o)
		what := "a batch of one opened to any number of images"
		if a.batch == 0 {
			what = "a batch added to an input without one"
		}
		return g, []string{what}, err
	default:
		one := a.rest
		if a.batch != 0 {
			one = a.input(a.batch)
		}
		o.Shapes = map[string]ir.Shape{r.in.Name: one}
		if r.in.Dims.Static() {
			o.Shapes = nil
		}
	}
	g, err := export.Unmarshal(r.data, o)
	return g, nil, err
}

// adapt makes the model of a graph that was read one way.
func (r *reading) adapt(g *ir.Graph, a arrangement, open bool) (*Model, error) {
	k, chosen, err := ChooseOutput(rows(g, a), r.flags.Output, r.images.Classes)
	if err != nil {
		return nil, err
	}
	out := g.Outputs[k]
	if open && a.batch != ir.N && (out.Rank() == 0 || out.Shape[0] != ir.N) {
		return nil, fmt.Errorf("output %s does not follow a batch that is opened", out)
	}
	words := []string{chosen, a.words()}
	b := op.NewB(g.Name)
	batch := int64(ir.N)
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("expected one input, found %s", described(g.Inputs))
	}
	switch in := g.Inputs[0]; {
	case a.batch == 0 && !open:
		batch = 1
	case in.Rank() > 0:
		batch = in.Shape[0]
	}
	x := b.Input("input", ir.Float32, append([]int64{batch}, a.image...)...)
	v, how, err := r.pixels(b, x)
	if err != nil {
		return nil, err
	}
	words = append(words, how...)
	v = arranged(b, v, a, g.Inputs[0].Shape)
	outs, bytes := inlined(b, g, v)
	words = append(words, bytes)
	if b.Err() != nil {
		return nil, b.Err()
	}
	form, err := program.LogitFormOf(batched(b, outs[k], a, open))
	if err != nil {
		return nil, err
	}
	words = append(words, form.Words()...)
	logits := form.Logits(b)
	if b.Err() == nil {
		if err := r.images.check(logits); err != nil {
			return nil, fmt.Errorf("%w, found %s", err, out)
		}
		b.Output(b.Free("logits"), b.Cast(logits, ir.Float32))
	}
	words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
	plain := len(words) == 0 && k == 0 && (a.batch == ir.N || !open) && a.batch != 0 && out.Rank() == 2 &&
		g.Inputs[0].Type == ir.Float32 && out.Type == ir.Float32
	if plain {
		return &Model{Graph: g, Plain: true}, nil
	}
	adapted, err := b.Build()
	if err != nil {
		return nil, err
	}
	adapted.Meta = adaptedMeta(g.Meta)
	return &Model{Graph: adapted, Words: words}, nil
}

// check refuses logits that are fewer than the classes of the images.
func (im Images) check(logits *ir.Value) error {
	if k := int(logits.Shape[1]); k < im.Classes {
		return fmt.Errorf("expected logits float32[N,%d] for the %d classes of %s", im.Classes, im.Classes, im.Name)
	}
	return nil
}

// rows are the outputs with a batch of one before those of an input without a batch that do not have one.
func rows(g *ir.Graph, a arrangement) []*ir.Value {
	out := slices.Clone(g.Outputs)
	for i, v := range out {
		if a.batch == 0 && v.Rank() == 1 && v.Shape[0] != ir.N && v.Shape[0] != 1 {
			out[i] = &ir.Value{Name: v.Name, Type: v.Type, Shape: append(ir.Shape{1}, v.Shape...), Def: v.Def}
		}
	}
	return out
}

// batched gives the output [K] of an input without a batch the shape [1,K].
func batched(b op.B, v *ir.Value, a arrangement, open bool) *ir.Value {
	if a.batch == 0 && !open && v.Rank() == 1 && v.Shape[0] != 1 {
		return b.Unsqueeze(v, 0)
	}
	return v
}

// adaptedMeta is the metadata of a file without what the adapted model does itself.
func adaptedMeta(meta map[string]string) map[string]string {
	out := maps.Clone(meta)
	if out == nil {
		out = map[string]string{}
	}
	delete(out, metaPixelFormat)
	delete(out, metaPixelRange)
	out[train.MetaInputRange] = "[0,1]"
	return out
}

// Describe joins what was adapted into one line, "" for nothing.
func (m *Model) Describe() string { return strings.Join(m.Words, "; ") }

// Symbolic reports whether the batch of the model is open.
func (m *Model) Symbolic() bool { return m.Graph.Inputs[0].Shape[0] == ir.N }
