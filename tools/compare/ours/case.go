package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/export/checkpoint"
	"rnas/genotype"
	"rnas/internal/tensor"
	"rnas/train"
)

// benchCase is a case of tools/compare; its fields are those of the dictionaries there.
type benchCase struct {
	Kind     string `json:"kind"`    // forward, pgd, train or search
	Network  string `json:"network"` // DARTS_V2, supernet, or the name of a model of another maker
	Channels int    `json:"channels"`
	Layers   int    `json:"layers"`
	Classes  int    `json:"classes"`
	Size     int    `json:"size"` // height and width of images
	Batch    int    `json:"batch"`
	Recipe   string `json:"recipe"` // of kind train
	Steps    int    `json:"steps"`  // of an attack
	Threads  int    `json:"threads"`
	Dir      string `json:"dir"`     // folder of weights, inputs and results
	Profile  string `json:"profile"` // prefix of the trace that ONNX Runtime writes; empty for none
}

// Settings that both sides share; those of torch_side.py are the same.
const (
	epsilon  = 8.0 / 255
	stepSize = 2.0 / 255
	rate     = 0.025
	lambda   = 1
)

var (
	sgd  = program.SGD{Momentum: 0.9, WeightDecay: 3e-4, Clip: 5}
	adam = program.Adam{LR: 3e-4, Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3}
)

func readCase(path string) (*benchCase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &benchCase{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *benchCase) file(name string) string { return filepath.Join(c.Dir, name) }

func (c *benchCase) macro() lower.Macro {
	return lower.Macro{Channels: c.Channels, Layers: c.Layers, Classes: c.Classes, Height: c.Size, Width: c.Size, Depth: 3}
}

func (c *benchCase) supernet() lower.Supernet {
	return lower.Supernet{Macro: c.macro(), Space: genotype.Space{Nodes: 4, Primitives: genotype.DARTSPrimitives}}
}

// network is the network of the case as one of ours.
func (c *benchCase) network() (lower.Network, error) {
	if c.Network == "supernet" {
		return c.supernet(), nil
	}
	z, err := genotype.Lookup(c.Network)
	if err != nil {
		return nil, err
	}
	return lower.Evaluation{Macro: c.macro(), Genotype: z.Genotype}, nil
}

// writeWeights writes initial weights as initial.safetensors.
func (c *benchCase) writeWeights() error {
	n, err := c.network()
	if err != nil {
		return err
	}
	l, err := program.NewLayout(n)
	if err != nil {
		return err
	}
	params, stats := l.Init(1)
	var tensors []checkpoint.Tensor
	for _, slots := range [][]program.Slot{l.Params, l.Stats} {
		for _, s := range slots {
			tensors = append(tensors, checkpoint.Tensor{Name: s.Name, Tensor: l.Tensor(s, params, stats)})
		}
	}
	return checkpoint.WriteSafetensors(c.file("initial.safetensors"), tensors, nil)
}

// weights are those that both sides use.
func (c *benchCase) weights() (n lower.Network, l *program.Layout, params, stats []float32, err error) {
	if n, err = c.network(); err != nil {
		return nil, nil, nil, nil, err
	}
	if l, err = program.NewLayout(n); err != nil {
		return nil, nil, nil, nil, err
	}
	params, stats, err = train.LoadWeights(c.file("weights.safetensors"), l)
	return n, l, params, stats, err
}

// fill reads the elements of t from a file of the case's folder.
func (c *benchCase) fill(name string, t *tensor.Tensor) error {
	data, err := os.ReadFile(c.file(name))
	if err != nil {
		return err
	}
	to := tensor.Bytes(t)
	if len(data) != len(to) {
		return fmt.Errorf("%s: expected %d bytes, found %d", c.file(name), len(to), len(data))
	}
	copy(to, data)
	return nil
}
