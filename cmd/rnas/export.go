package main

import (
	"context"
	"fmt"

	"rnas/internal/fault"
	"rnas/runtime/ort"
	"rnas/train"

	"github.com/spf13/pflag"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/export"
	"rnas/genotype"
)

const exportDetail = `The model takes "input" float32 [N,C,H,W] with pixels in [0,1] and gives "logits" float32 [N,K]; normalisation by
--mean and --std is part of it. Weights that rnas train wrote describe their network, so that no other flag is needed;
for weights of a PyTorch DARTS model name the genotype and its size.

--precision fp16 stores weights and computes in float16 between float32 inputs and outputs; int8 writes QuantizeLinear and
DequantizeLinear around integer weights, with ranges of the activations measured on --calibrate. Where images are given, the
accuracy of the model before and after is measured, clean and under PGD-20; the gradient of an int8 model passes straight
through the rounding.`

// exportFlags are the choices of rnas export.
type exportFlags struct {
	genotype, weights string
	macro             macroFlags
	image             imageValue
	mean, std         []float32
	opset             int
	precision         precisionFlags
	keepBN            bool
	batch             int
	out               string
}

func (e *exportFlags) add(f *pflag.FlagSet) {
	f.StringVar(&e.genotype, "genotype", "", "genotype, a file, zoo:NAME or a string of NAS-Bench-201 (default: that of the weights)")
	f.StringVar(&e.weights, "weights", "", "weights, safetensors or a PyTorch checkpoint (.pt, .pth, .ckpt) (required)")
	e.macro.add(f, 36, 20)
	e.macro.addClasses(f)
	e.image = imageValue{3, 32, 32}
	f.Var(&e.image, "image", "shape of an image")
	f.Float32SliceVar(&e.mean, "mean", nil, "mean of each colour channel, subtracted from the image")
	f.Float32SliceVar(&e.std, "std", nil, "standard deviation of each colour channel, which the image is divided by")
	f.IntVar(&e.opset, "opset", 18, opsetUsage)
	e.precision.add(f)
	f.BoolVar(&e.keepBN, "keep-bn", false, "keep batch normalisation as operators of its own")
	f.IntVar(&e.batch, "batch", 0, "fixed batch size, 0 for a symbolic one")
	f.StringVar(&e.out, "out", "", "model file to write (required)")
}

func exportCommand(f *pflag.FlagSet) action {
	var e exportFlags
	e.add(f)
	asJSON := addJSON(f)
	return func(ctx context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 0, "no arguments"); err != nil {
			return err
		}
		if err := e.check(); err != nil {
			return err
		}
		w, err := train.LoadAs(e.weights, func(n lower.Evaluation, described bool) (lower.Evaluation, error) {
			return e.network(f, n, described)
		})
		if err != nil {
			return fault.Input(err)
		}
		d := train.Deployment{
			Batch: ir.N, KeepBN: e.keepBN,
			Options: export.Options{Opset: e.opset, ProducerVersion: versionText()},
		}
		if e.batch > 0 {
			d.Batch = int64(e.batch)
		}
		r, err := e.write(ctx, c, w, d)
		if err != nil || r == nil {
			return err
		}
		if *asJSON {
			return printJSON(c.out, r)
		}
		return r.print(c)
	}
}

// write writes the model and compares it with its form in float32, if it is to be in another one or to be measured.
func (e *exportFlags) write(ctx context.Context, c *console, w *train.Weights, d train.Deployment) (*comparison, error) {
	g, err := w.Model(d)
	if err != nil {
		return nil, err
	}
	var o ort.Options
	if e.precision.check != "" {
		if o, err = e.precision.runtime.open(); err != nil {
			return nil, err
		}
	}
	if err := e.precision.convert(ctx, g, o); err != nil {
		return nil, err
	}
	s, err := export.WriteVerified(e.out, g, d.Options)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(c.err, "%s: %d operators and %d tensors, read back by onnx-go\n", e.out, s.Nodes, s.Initializers)
	if e.precision.format == precision32 && e.precision.check == "" {
		return nil, nil
	}
	before, err := w.Model(d)
	if err != nil {
		return nil, err
	}
	return e.precision.compare(ctx, c, e.out, before, d.Options, o)
}

func (e *exportFlags) check() error {
	switch {
	case e.weights == "":
		return fault.Inputf("--weights: expected a file of safetensors or a PyTorch checkpoint, found none")
	case e.batch < 0:
		return fault.Inputf("--batch: expected at least 0, found %d", e.batch)
	}
	if err := checkOpset(e.opset); err != nil {
		return err
	}
	if err := e.precision.validate(); err != nil {
		return err
	}
	return checkOutput("--out", e.out)
}

// network is what the weights are read as: what the file says, changed by the flags that were given; without a
// description, the flags and their defaults.
func (e *exportFlags) network(f *pflag.FlagSet, n lower.Evaluation, described bool) (lower.Evaluation, error) {
	given := func(name string) bool { return !described || f.Changed(name) }
	if e.genotype == "" && !described {
		return n, fault.Inputf("--genotype: the weights do not describe their network, expected a file, zoo:NAME or a string of NAS-Bench-201")
	}
	if e.genotype != "" {
		g, err := genotype.Load(e.genotype)
		if err != nil {
			return n, fault.Inputf("--genotype: %w", err)
		}
		n.Genotype = g
	}
	macro := e.macro.fit(f, n.Genotype.Form)
	for _, v := range []struct {
		flag string
		to   *int
		n    int
	}{
		{"channels", &n.Channels, macro.channels},
		{"layers", &n.Layers, macro.layers},
		{"classes", &n.Classes, macro.classes},
		{"image", &n.Depth, e.image.depth},
		{"image", &n.Height, e.image.height},
		{"image", &n.Width, e.image.width},
	} {
		if given(v.flag) {
			*v.to = v.n
		}
	}
	if given("mean") {
		n.Mean = e.mean
	}
	if given("std") {
		n.Std = e.std
	}
	return n, n.Validate()
}
