// Command defences wraps a classifier in three defences that hide its gradient and defend nothing:
//
//	go run ./tools/defences MODEL.onnx FOLDER
//
// writes FOLDER/quantised.onnx (pixels rounded to 16 levels), scaled.onnx (softmax of 10,000 times the logits) and noise.onnx (normal
// noise of 8/255 on the pixels, drawn anew in each run). docs/results/broken-defences.md has what rnas bench says about them.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
)

// classifier computes logits of images.
type classifier func(x *ir.Value) *ir.Value

var defences = []struct {
	name string
	wrap func(b op.B, x *ir.Value, f classifier) *ir.Value
}{
	{"quantised", func(b op.B, x *ir.Value, f classifier) *ir.Value {
		return f(b.Scale(b.One("Round", nil, b.Scale(x, 15)), 1./15))
	}},
	{"scaled", func(b op.B, x *ir.Value, f classifier) *ir.Value { return b.Softmax(b.Scale(f(x), 1e4), -1) }},
	{"noise", func(b op.B, x *ir.Value, f classifier) *ir.Value {
		return f(b.Add(x, b.One("RandomNormalLike", ir.Attrs{"scale": float32(8. / 255)}, x)))
	}},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: defences MODEL.onnx FOLDER")
		os.Exit(2)
	}
	if err := wrapAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func wrapAll(model, dir string) error {
	g, err := export.ReadFile(model, export.ReadOptions{})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, d := range defences {
		b := op.NewB(d.name)
		x := b.Input(g.Inputs[0].Name, g.Inputs[0].Type, g.Inputs[0].Shape...)
		scores := d.wrap(b, x, func(x *ir.Value) *ir.Value {
			out := op.Inline(b, g, []*ir.Value{x})
			if b.Err() != nil {
				return x
			}
			return out[0]
		})
		b.Output(b.Free("scores"), b.Identity(scores))
		wrapped, err := b.Build()
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if err := export.WriteFile(filepath.Join(dir, d.name+".onnx"), wrapped, export.Options{}); err != nil {
			return err
		}
	}
	return nil
}
