package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"rnas/bench/attack"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/fault"
	"rnas/train"
)

const attackDetail = `Writes one try of an attack, the model and its gradient included, as one ONNX model of standard operators that any ONNX
Runtime runs. Inputs: images float32 [B,C,H,W] in [0,1]; labels int64 [B]; start float32 [B,C,H,W], the perturbation that is
added to the images first, zeros for none (C&W's and DeepFool do not use it); for targeted attacks targets int64 [B], the
classes to be reached. Output: adversarial float32 [B,C,H,W]. B is open where the model leaves it open, unless --batch fixes it.

No random numbers are drawn inside: one start gives one result, and a random start is up to the caller. fgsm, pgd, cw and
mifgsm give their last image; the others one that they found to be misclassified, or where they started when there is none.
What the attack is, is in the metadata under "attack".`

// attackFlags are the choices of rnas attack.
type attackFlags struct {
	kind     string
	norm     string
	eps      epsValue
	steps    int
	stepSize epsValue
	batch    int
	opset    int
	out      string
	model    modelFlags
}

func (a *attackFlags) add(f *pflag.FlagSet) {
	f.StringVar(&a.kind, "kind", "pgd20", "attack of one try, of the names that rnas bench --attacks takes")
	f.StringVar(&a.norm, "norm", "linf", "norm of the perturbation: "+strings.Join(attack.Norms(), ", "))
	a.eps = newEps("8/255")
	f.Var(&a.eps, "eps", "largest norm of the perturbation, in pixels of [0,1], such as 8/255")
	f.IntVar(&a.steps, "steps", 0, "number of steps, 0 for that of the attack")
	f.Var(&a.stepSize, "step-size", "size of a step (default: that of the attack)")
	f.IntVar(&a.batch, "batch", 0, "fixed batch size, 0 for that of the model")
	f.IntVar(&a.opset, "opset", 0, anyOpset)
	f.StringVar(&a.out, "out", "", "model file to write (required)")
	a.model.add(f)
}

// attackRecord is what the metadata tells of an attack.
type attackRecord struct {
	Kind        string            `json:"kind"`
	Norm        string            `json:"norm"`
	Eps         float64           `json:"eps"` // in pixels of [0,1]
	Steps       int               `json:"steps"`
	StepSize    float64           `json:"step_size,omitempty"` // of every step; none where the attack finds it on the way
	ModelSHA256 string            `json:"model_sha256"`        // of the file that is attacked
	Inputs      map[string]string `json:"inputs"`              // what they mean
	Output      string            `json:"output"`
	Adapter     []string          `json:"adapter,omitempty"` // what stands between the images and the model, in words
}

// attackSummary is what rnas attack --json prints.
type attackSummary struct {
	Path    string `json:"path"`
	Model   string `json:"model"`
	Batch   int64  `json:"batch"` // 0 for an open one
	Opset   int    `json:"opset"`
	Nodes   int    `json:"nodes"` // operators, those of the loop included
	Tensors int    `json:"tensors"`
	attackRecord
}

func attackCommand(f *pflag.FlagSet) action {
	var a attackFlags
	a.add(f)
	asJSON := addJSON(f)
	return func(_ context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "one model file"); err != nil {
			return err
		}
		single, settings, err := a.check()
		if err != nil {
			return err
		}
		g, record, err := a.graph(c, args[0], int64(a.batch), single, settings)
		if err != nil {
			return err
		}
		s, err := export.WriteVerified(a.out, g, export.Options{Opset: a.opset, ProducerVersion: versionText()})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.err, "%s: %d operators and %d tensors, read back by onnx-go\n", a.out, s.Nodes, s.Initializers)
		if !*asJSON {
			return nil
		}
		if a.opset == 0 {
			a.opset = export.Oldest(g)
		}
		batch := max(0, g.Inputs[0].Shape[0])
		return printJSON(c.out, attackSummary{a.out, args[0], batch, a.opset, s.Nodes, s.Initializers, record})
	}
}

// check is the attack that the flags ask for.
func (a *attackFlags) check() (attack.Single, attack.Settings, error) {
	settings := attack.Settings{Norm: a.norm, Epsilon: a.eps.size, StepSize: a.stepSize.size}
	single, err := attack.Alone(a.kind)
	if err != nil {
		return nil, settings, fault.Inputf("--kind: %w", err)
	}
	if err := settings.Validate(); err != nil {
		return nil, settings, fault.Input(err)
	}
	if err := single.Supports(settings, math.MaxInt32); err != nil {
		return nil, settings, fault.Inputf("--kind: %w", err)
	}
	if a.steps != 0 {
		if single, err = single.Resized(a.steps); err != nil {
			return nil, settings, fault.Inputf("--steps: %s: %w", a.kind, err)
		}
	}
	if a.stepSize.size > 0 && single.StepSize(settings) != a.stepSize.size {
		return nil, settings, fault.Inputf("--step-size: %s chooses its steps itself, found %s", a.kind, a.stepSize.text)
	}
	return single, settings, checkWritten(a.batch, a.opset, a.out)
}

// graph is the attack on a model file as a graph, for a fixed batch unless that is 0. What was adapted or chosen is told on c.
func (a *attackFlags) graph(c *console, path string, batch int64, single attack.Single, settings attack.Settings) (*ir.Graph, attackRecord, error) {
	record := attackRecord{
		Kind: a.kind, Norm: settings.Norm, Eps: settings.Epsilon, Steps: single.Steps(), StepSize: single.StepSize(settings),
		Inputs: map[string]string{
			"images": "pixels in [0,1], the range that the model was given",
			"labels": "true classes, numbers of logits",
			"start":  "perturbation that is added to the images first, then clipped to [0,1]; zeros for none",
		},
		Output: "adversarial: the images after the attack, in the ball and in [0,1]",
	}
	if single.Targeted() {
		record.Inputs["targets"] = "classes to be reached"
	}
	flags, err := a.model.read()
	if err != nil {
		return nil, record, err
	}
	content, err := export.Load(path)
	if err != nil {
		return nil, record, fault.Input(err)
	}
	sum := sha256.Sum256(content)
	record.ModelSHA256 = hex.EncodeToString(sum[:])
	model, err := readAdapted(path, flags, batch)
	if err != nil {
		return nil, record, err
	}
	meta := maps.Clone(model.Graph.Meta)
	record.Adapter = model.Words
	g, err := attackGraph(model.Graph, single, settings)
	if err != nil {
		err = fault.Inputf("%s: %w", path, err)
		if batch != 0 || !model.Symbolic() || len(op.Private(model.Graph)) > 0 {
			return nil, record, err
		}
		g, record, other := a.graph(c, path, chosenBatch, single, settings)
		if other != nil {
			return nil, record, err
		}
		fmt.Fprintf(c.err, "%s: an attack on it needs a batch size: %d, --batch says another\n", path, chosenBatch)
		return g, record, nil
	}
	tellAdapted(c, path, model)
	if !reads(g, "start") {
		record.Inputs["start"] = "not used: the attack starts at the images"
	}
	text, err := json.Marshal(record)
	if err != nil {
		return nil, record, err
	}
	if meta == nil {
		meta = map[string]string{}
	}
	meta[train.MetaAttack] = string(text)
	g.Meta = meta
	return g, record, nil
}

// reads reports whether an operator takes an input of g.
func reads(g *ir.Graph, input string) bool {
	found := false
	g.Walk(func(n *ir.Node) { found = found || slices.Contains(n.In, g.Input(input)) })
	return found
}

// attackGraph is an attack on a model, prepared for any provider.
func attackGraph(model *ir.Graph, single attack.Single, settings attack.Settings) (*ir.Graph, error) {
	if err := pass.Run(model, pass.Inference()); err != nil {
		return nil, err
	}
	c, err := program.NewClassifier(model)
	if err != nil {
		return nil, err
	}
	if err := c.Differentiable(); err != nil {
		return nil, err
	}
	if c, err = c.Regular(); err != nil {
		return nil, err
	}
	p, err := single.Program(c, int(c.Inputs[0].Shape[0]), settings)
	if err != nil {
		return nil, err
	}
	p.Graph.Outputs = slices.DeleteFunc(p.Graph.Outputs, func(v *ir.Value) bool { return v.Name != "adversarial" })
	return p.Graph, pass.Run(p.Graph, pass.Training())
}
