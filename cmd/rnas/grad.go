package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rnas/bench/adapt"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/fault"
	"rnas/train"
)

const gradDetail = `The graph has the inputs and outputs of the model and more inputs, labels int64 [N], or output_gradient of the shape of the
output for --loss output; more outputs, loss float32 [N], one per sample, and grad.NAME for each input or parameter NAME:
the gradient of the sum of loss. Parameters are the stored floating-point tensors but scalars and the statistics of batch
normalisation; those that the loss does not depend on are left out. Models in other floating-point types become float32.

Losses, which an attack raises: ce is the cross-entropy; margin the largest other logit minus that of the label; dlr the
same over the difference of the first and the third of the sorted logits (Croce and Hein 2020); output the sum of an
output weighted by output_gradient.`

// gradFlags are the choices of rnas grad.
type gradFlags struct {
	derivative program.Derivative
	wrt        string
	batch      int
	opset      int
	out        string
	model      modelFlags
}

func (d *gradFlags) add(f *pflag.FlagSet) {
	f.StringVar(&d.derivative.Loss, "loss", "ce", "loss: "+strings.Join(program.Losses(), ", "))
	f.StringVar(&d.wrt, "wrt", "input", "gradient with respect to: input, params")
	f.StringSliceVar(&d.derivative.Names, "name", nil, "names of the inputs or parameters (default: all)")
	f.IntVar(&d.batch, "batch", 0, "fixed batch size, 0 for that of the model")
	f.IntVar(&d.opset, "opset", 0, anyOpset)
	f.StringVar(&d.out, "out", "", "model file to write (required)")
	d.model.add(f)
}

func gradCommand(f *pflag.FlagSet) action {
	var d gradFlags
	d.add(f)
	return func(_ context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "one model file"); err != nil {
			return err
		}
		if err := d.check(); err != nil {
			return err
		}
		g, words, err := d.graph(args[0], int64(d.batch))
		if err != nil {
			return err
		}
		for _, w := range words {
			fmt.Fprintf(c.err, "%s: %s\n", args[0], w)
		}
		s, err := export.WriteVerified(d.out, g, export.Options{Opset: d.opset, ProducerVersion: versionText()})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "%s: %d operators and %d tensors, read back by onnx-go\n", d.out, s.Nodes, s.Initializers)
		return nil
	}
}

func (d *gradFlags) check() error {
	switch d.wrt {
	case "input", "params":
		d.derivative.Params = d.wrt == "params"
	default:
		return fault.Inputf("--wrt: expected input or params, found %q", d.wrt)
	}
	if losses := program.Losses(); !slices.Contains(losses, d.derivative.Loss) {
		return fault.Inputf("--loss: expected %s, found %q", strings.Join(losses, ", "), d.derivative.Loss)
	}
	if _, err := d.model.read(); err != nil {
		return err
	}
	return checkWritten(d.batch, d.opset, d.out)
}

// source is the model, for a fixed batch unless that is 0: as the file has it, with its own inputs and outputs, or adapted where a flag says
// what it takes. words says which output the loss is of and what of it, where that is not the first as it is.
func (d *gradFlags) source(path string, batch int64) (g *ir.Graph, derivative program.Derivative, words []string, err error) {
	derivative = d.derivative
	flags := d.model.Flags
	derivative.Output = flags.Output
	if flags.Output = ""; !flags.Empty() {
		a, err := readAdapted(path, d.model.Flags, batch)
		if err != nil {
			return nil, derivative, nil, err
		}
		derivative.Output = ""
		return a.Graph, derivative, a.Words, nil
	}
	if g, err = export.ReadFile(path, export.ReadOptions{Batch: batch}); errors.Is(err, export.ErrSymbolic) {
		g, err = export.ReadFile(path, export.ReadOptions{Batch: chosenBatch})
		words = append(words, fmt.Sprintf("it needs a batch size: %d, --batch says another", chosenBatch))
	}
	if err != nil {
		if _, other := readAdapted(path, adapt.Flags{}, batch); other != nil {
			err = other // which names the flag that helps
		}
		return nil, derivative, nil, fault.Input(err)
	}
	if err := checkBatch(g, batch); err != nil {
		return nil, derivative, nil, fault.Inputf("%s: %w", path, err)
	}
	if derivative.Loss == program.OutputLoss {
		return g, derivative, words, nil
	}
	k, chosen, err := adapt.ChooseOutput(g.Outputs, derivative.Output, 0)
	if err != nil {
		return nil, derivative, nil, fault.Inputf("%s: %w", path, err)
	}
	derivative.Output = g.Outputs[k].Name
	if chosen != "" {
		words = append(words, chosen)
	}
	if form, err := program.LogitFormOf(g.Outputs[k]); err == nil {
		words = append(words, form.Words()...)
	}
	return g, derivative, words, nil
}

// graph is the gradient graph of a model file, for a fixed batch unless that is 0. Errors name the file.
func (d *gradFlags) graph(path string, batch int64) (*ir.Graph, []string, error) {
	g, derivative, words, err := d.source(path, batch)
	if err != nil {
		return nil, nil, err
	}
	if err := d.append(g, derivative); err != nil {
		err = fault.Inputf("%s: %w", path, err)
		symbolic := slices.ContainsFunc(g.Inputs, func(v *ir.Value) bool { return !v.Shape.Static() })
		if batch != 0 || !symbolic || len(op.Private(g)) > 0 {
			return nil, nil, err
		}
		g, words, other := d.graph(path, chosenBatch)
		if other != nil {
			return nil, nil, err
		}
		return g, append(words, fmt.Sprintf("its gradient needs a batch size: %d, --batch says another", chosenBatch)), nil
	}
	return g, words, nil
}

// append makes g its gradient graph.
func (d *gradFlags) append(g *ir.Graph, derivative program.Derivative) error {
	before := pass.Inference()
	if d.derivative.Params {
		before = nil // normalisation stays apart from the weights
	}
	if err := pass.Run(g, before); err != nil {
		return err
	}
	if err := derivative.Append(g); err != nil {
		return err
	}
	if err := pass.Run(g, pass.Training()); err != nil {
		return err
	}
	record, err := json.Marshal(derivative)
	if err != nil {
		return err
	}
	meta := map[string]string{train.MetaGradient: string(record)}
	for k, v := range g.Meta {
		if k != train.MetaGradient {
			meta[k] = v
		}
	}
	g.Meta = meta
	return nil
}

// checkBatch checks that a batch size that was asked for, if not 0, is the one of the graph.
func checkBatch(g *ir.Graph, batch int64) error {
	if batch == 0 || len(g.Inputs) == 0 || g.Inputs[0].Rank() == 0 || g.Inputs[0].Shape[0] == batch {
		return nil
	}
	return fmt.Errorf("--batch %d: the model has the fixed batch size %d", batch, g.Inputs[0].Shape[0])
}
