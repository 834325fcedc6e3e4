package train

import (
	"encoding/json"
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/export/checkpoint"
)

// ModelFile is the name of the deployed model in the folder of a training.
const ModelFile = "model.onnx"

// Deployment says how a trained network becomes a model.
type Deployment struct {
	Batch   int64 // ir.N for a symbolic one
	KeepBN  bool  // keep batch normalisation as layers of its own
	Options export.Options
}

// Deployed is the usual form: a symbolic batch, normalisation folded, operator set 18.
func Deployed() Deployment { return Deployment{Batch: ir.N, Options: export.Options{Opset: 18}} }

// Model is the deployed form of the network: input "input" [N,D,H,W] in [0,1], output "logits" [N,K], and metadata that
// tells what it is.
func (w *Weights) Model(d Deployment) (*ir.Graph, error) {
	if err := w.Network.Validate(); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	g, err := program.Deploy(w.Network, w.Layout, w.Params, w.Stats, d.Batch, !d.KeepBN)
	if err != nil {
		return nil, err
	}
	passes := pass.Inference()
	if d.KeepBN {
		passes = pass.Training()
	}
	if err := pass.Run(g, passes); err != nil {
		return nil, err
	}
	if g.Meta, err = w.metadata(); err != nil {
		return nil, err
	}
	return g, nil
}

// Write writes the deployed form as an ONNX file after an independent decoder has read it back.
func (w *Weights) Write(path string, d Deployment) (export.Summary, error) {
	g, err := w.Model(d)
	if err != nil {
		return export.Summary{}, err
	}
	return export.WriteVerified(path, g, d.Options)
}

// LoadAs reads a file of weights, safetensors or a PyTorch checkpoint. describe gets the network that the file describes,
// the zero value when it does not, and returns the one to be read.
func LoadAs(path string, describe func(n lower.Evaluation, described bool) (lower.Evaluation, error)) (*Weights, error) {
	tensors, meta, err := checkpoint.Read(path)
	if err != nil {
		return nil, err
	}
	w := &Weights{Record: meta[MetaTraining]}
	described := meta[MetaFormat] == weightsFormat && meta[MetaNetwork] != ""
	if described {
		if err := json.Unmarshal([]byte(meta[MetaNetwork]), &w.Network); err != nil {
			return nil, fmt.Errorf("%s: network: %w", path, err)
		}
	}
	if names := meta[MetaClasses]; names != "" {
		if err := json.Unmarshal([]byte(names), &w.Classes); err != nil {
			return nil, fmt.Errorf("%s: class names: %w", path, err)
		}
	}
	if w.Network, err = describe(w.Network, described); err != nil {
		return nil, err
	}
	if len(w.Classes) != w.Network.Classes {
		w.Classes = nil
	}
	if w.Layout, err = program.NewLayout(w.Network); err != nil {
		return nil, err
	}
	if w.Params, w.Stats, err = Place(tensors, w.Layout); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}
