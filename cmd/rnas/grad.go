package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rnas/compiler/ir"
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
}

func (d *gradFlags) add(f *pflag.FlagSet) {
	f.StringVar(&d.derivative.Loss, "loss", "ce", "loss: "+strings.Join(program.Losses(), ", "))
	f.StringVar(&d.wrt, "wrt", "input", "gradient with respect to: input, params")
	f.StringSliceVar(&d.derivative.Names, "name", nil, "names of the inputs or parameters (default: all)")
	f.StringVar(&d.derivative.Output, "output", "", "output that the loss is of (default: the first)")
	f.IntVar(&d.batch, "batch", 0, "fixed batch size, 0 for that of the model")
	f.IntVar(&d.opset, "opset", 18, opsetUsage)
	f.StringVar(&d.out, "out", "", "model file to write (required)")
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
		g, err := d.graph(args[0], int64(d.batch))
		if err != nil {
			return fault.Inputf("%s: %w", args[0], err)
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
	if d.batch < 0 {
		return fault.Inputf("--batch: expected at least 0, found %d", d.batch)
	}
	if err := checkOpset(d.opset); err != nil {
		return err
	}
	return checkOutput("--out", d.out)
}

// graph is the gradient graph of a model file, for a fixed batch unless that is 0.
func (d *gradFlags) graph(path string, batch int64) (*ir.Graph, error) {
	g, err := export.ReadFile(path, export.ReadOptions{Batch: batch})
	if err != nil {
		return nil, err
	}
	if err := checkBatch(g, batch); err != nil {
		return nil, err
	}
	before := pass.Inference()
	if d.derivative.Params {
		before = nil // normalisation stays apart from the weights
	}
	if err := pass.Run(g, before); err != nil {
		return nil, err
	}
	symbolic := slices.ContainsFunc(g.Inputs, func(v *ir.Value) bool { return !v.Shape.Static() })
	if err := d.derivative.Append(g); err != nil {
		if symbolic {
			if _, other := d.graph(path, 1); other == nil {
				return nil, fmt.Errorf("%w; with --batch, which fixes the batch size, there is a gradient", err)
			}
		}
		return nil, err
	}
	if err := pass.Run(g, pass.Training()); err != nil {
		return nil, err
	}
	record, err := json.Marshal(d.derivative)
	if err != nil {
		return nil, err
	}
	meta := map[string]string{train.MetaGradient: string(record)}
	for k, v := range g.Meta {
		if k != train.MetaGradient {
			meta[k] = v
		}
	}
	g.Meta = meta
	return g, nil
}

// checkBatch checks that a batch size that was asked for, if not 0, is the one of the graph.
func checkBatch(g *ir.Graph, batch int64) error {
	if batch == 0 || len(g.Inputs) == 0 || g.Inputs[0].Rank() == 0 || g.Inputs[0].Shape[0] == batch {
		return nil
	}
	return fmt.Errorf("--batch %d: the model has the fixed batch size %d", batch, g.Inputs[0].Shape[0])
}
