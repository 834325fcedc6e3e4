package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"rnas/bench/adapt"
	"rnas/compiler/pass"
	"rnas/export"
	"rnas/internal/fault"
	"rnas/train"
)

const adaptDetail = `Writes a model that takes images as people see them and gives logits: input float32 [N,C,H,W] of pixels in [0,1], red first; output
logits float32 [N,K]. What lies between is in its graph: range and order of the pixels, mean and standard deviation, layout, flattening,
a batch where there was none, and the output that is taken. bench, attack, grad and verify do the same by the same flags without a file.`

// adaptSummary is what rnas adapt --json prints.
type adaptSummary struct {
	Path    string   `json:"path"`
	Model   string   `json:"model"`
	Batch   int64    `json:"batch"` // 0 for an open one
	Image   []int64  `json:"image"` // C, H, W
	Classes int      `json:"classes"`
	Adapter []string `json:"adapter"` // in words
}

func adaptCommand(f *pflag.FlagSet) action {
	var m modelFlags
	var batch, opset int
	var out string
	m.add(f)
	f.IntVar(&batch, "batch", 0, "fixed batch size, 0 for an open one where the model allows it")
	f.IntVar(&opset, "opset", 0, anyOpset)
	f.StringVar(&out, "out", "", "model file to write (required)")
	asJSON := addJSON(f)
	return func(_ context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "one model file"); err != nil {
			return err
		}
		flags, err := m.read()
		if err != nil {
			return err
		}
		if err := checkWritten(batch, opset, out); err != nil {
			return err
		}
		a, err := readAdapted(args[0], flags, int64(batch))
		if err != nil {
			return err
		}
		if err := pass.Run(a.Graph, pass.Training()); err != nil {
			return err
		}
		words, err := json.Marshal(append([]string{}, a.Words...))
		if err != nil {
			return err
		}
		if a.Graph.Meta == nil {
			a.Graph.Meta = map[string]string{}
		}
		a.Graph.Meta[train.MetaAdapter] = string(words)
		s, err := export.WriteVerified(out, a.Graph, export.Options{Opset: opset, ProducerVersion: versionText()})
		if err != nil {
			return err
		}
		tellAdapted(c, args[0], a)
		fmt.Fprintf(c.err, "%s: %d operators and %d tensors, read back by onnx-go\n", out, s.Nodes, s.Initializers)
		if !*asJSON {
			return nil
		}
		return printJSON(c.out, adaptSummary{out, args[0], max(0, a.Graph.Inputs[0].Shape[0]), a.Image(), a.Classes(), append([]string{}, a.Words...)})
	}
}

// readAdapted reads a model file as every command takes it, for a fixed batch unless that is 0. Errors name the file.
func readAdapted(path string, flags adapt.Flags, batch int64) (*adapt.Model, error) {
	data, err := export.Load(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	a, err := adapt.Read(data, filepath.Dir(path), flags, adapt.Images{}, adapt.Size{Fixed: batch})
	if err != nil {
		return nil, fault.Inputf("%s: %w", path, err)
	}
	if batch != 0 && !a.Symbolic() && a.Graph.Inputs[0].Shape[0] != batch {
		return nil, fault.Inputf("%s: --batch %d: the model has the fixed batch size %d", path, batch, a.Graph.Inputs[0].Shape[0])
	}
	return a, nil
}

// tellAdapted prints what was adapted, if anything.
func tellAdapted(c *console, path string, a *adapt.Model) {
	if len(a.Words) > 0 {
		fmt.Fprintf(c.err, "%s: %s\n", path, strings.Join(a.Words, "; "))
	}
}

// checkWritten checks the flags of a command that writes a model.
func checkWritten(batch, opset int, out string) error {
	if batch < 0 {
		return fault.Inputf("--batch: expected at least 0, found %d", batch)
	}
	if opset != 0 {
		if err := checkOpset(opset); err != nil {
			return err
		}
	}
	return checkOutput("--out", out)
}
