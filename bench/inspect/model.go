// Package inspect summarises models and folders of runs, and checks models by independent means.
package inspect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"rnas/bench/adapt"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/genotype"
	"rnas/train"
)

// Count is the number of nodes of one operator.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Value describes an input or output. Dimensions of -1 are symbolic.
type Value struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`
	Shape []int64 `json:"shape"`
}

// String is the value in the form "name float32[N,10]".
func (v Value) String() string { return fmt.Sprintf("%s %s%s", v.Name, v.Type, ir.Shape(v.Shape)) }

// Model is the summary of an ONNX file.
type Model struct {
	Path      string        `json:"path"`
	Bytes     int           `json:"bytes"`
	SHA256    string        `json:"sha256"`
	Header    export.Header `json:"header"`
	Inputs    []Value       `json:"inputs"`
	Outputs   []Value       `json:"outputs"`
	Operators []Count       `json:"operators"` // operators after conversion to operator set 18, the most frequent first
	Constants int64         `json:"constants"` // floating-point numbers stored in the file
	MACs      int64         `json:"macs"`      // multiply-adds of one image
	// Images is how every command takes the model; "" where none can. Adapter says in words what it puts between.
	Images   string             `json:"images,omitempty"`
	Adapter  []string           `json:"adapter,omitempty"`
	Attack   program.Attackable `json:"attack"`
	Genotype *genotype.Genotype `json:"genotype,omitempty"` // from the metadata
	Meta     map[string]string  `json:"metadata,omitempty"`
}

// ReadModel reads an ONNX file: its summary, and its graph with a batch of 1 where a symbolic batch is not possible. Errors name the file.
func ReadModel(path string, flags adapt.Flags) (*Model, *ir.Graph, error) {
	data, err := export.Load(path)
	if err != nil {
		return nil, nil, err
	}
	header, err := export.ReadHeader(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	adapted, reason := adapt.Read(data, filepath.Dir(path), flags, adapt.Images{Classes: classes(data)}, adapt.Size{})
	g, err := read(data, path, 1, flags.Shape)
	switch {
	case err != nil && reason != nil:
		return nil, nil, fmt.Errorf("%s: %w", path, reason) // which names the flag that helps
	case err != nil:
		g = adapted.Graph
	}
	sum := sha256.Sum256(data)
	m := &Model{
		Path: path, Bytes: len(data), SHA256: hex.EncodeToString(sum[:]), Header: header,
		Inputs: values(g.Inputs), Outputs: values(g.Outputs), Operators: Operators(g),
		Constants: constants(g), MACs: op.MACs(g), Meta: g.Meta,
	}
	if reason != nil {
		m.Attack.Reason = reason.Error()
	} else {
		m.Images = fmt.Sprintf("%s, %s", adapted.Graph.Inputs[0], adapted.Graph.Outputs[0])
		m.Adapter, m.Attack = adapted.Words, program.Examine(adapted.Graph)
	}
	if text := g.Meta[train.MetaGenotype]; text != "" {
		cells, err := genotype.Parse(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: metadata: genotype: %w", path, err)
		}
		m.Genotype = &cells
	}
	return m, g, nil
}

// read reads the model of a file with a symbolic batch size, or with the given batch size where a symbolic one is not possible.
func read(data []byte, path string, batch int64, image []int64) (*ir.Graph, error) {
	o := export.ReadOptions{Dir: filepath.Dir(path), Image: image}
	g, err := export.Unmarshal(data, o)
	if errors.Is(err, export.ErrSymbolic) {
		o.Batch = batch
		g, err = export.Unmarshal(data, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// classes is the number of class names in the metadata of a file; 0 for none.
func classes(data []byte) int {
	sig, err := export.ReadSignature(data)
	if err != nil {
		return 0
	}
	return len((&Model{Meta: sig.Meta}).Classes())
}

// Classes are the class names in the metadata; nil for none.
func (m *Model) Classes() []string {
	var names []string
	if err := json.Unmarshal([]byte(m.Meta[train.MetaClasses]), &names); err != nil {
		return nil
	}
	return names
}

// values describes inputs or outputs.
func values(list []*ir.Value) []Value {
	out := make([]Value, len(list))
	for i, v := range list {
		out[i] = Value{v.Name, v.Type.String(), append([]int64{}, v.Shape...)}
	}
	return out
}

// Operators counts the nodes of g and of the graphs nested in it by operator. The most frequent operator is first; of equal ones, by name.
func Operators(g *ir.Graph) []Count {
	n := map[string]int{}
	g.Walk(func(node *ir.Node) {
		name := node.Op
		if node.Domain != "" {
			name = node.Domain + "." + name
		}
		n[name]++
	})
	out := make([]Count, 0, len(n))
	for name, count := range n {
		out = append(out, Count{name, count})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// constants counts the floating-point numbers in the constants of g and of the graphs nested in it. A shared constant counts once.
func constants(g *ir.Graph) int64 {
	total := int64(0)
	seen := map[*ir.Value]bool{}
	add := func(g *ir.Graph) {
		for _, v := range g.Constants() {
			if !seen[v] && v.Type.IsFloat() {
				seen[v] = true
				total += v.Shape.Numel()
			}
		}
	}
	add(g)
	g.Walk(func(n *ir.Node) {
		for _, nested := range n.Graphs() {
			add(nested)
		}
	})
	return total
}
