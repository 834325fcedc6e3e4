package ort

import (
	"fmt"
	"os"
	"strings"
)

// Placement is where ONNX Runtime put a node.
type Placement struct {
	Name, Op string
	Provider string // "CPUExecutionProvider", ...
}

// heavy lists the operators whose cost grows faster than their data moves: on the CPU they turn a device run into a
// CPU run with copies. Shape arithmetic and other small nodes belong on the CPU.
var heavy = map[string]bool{
	"Conv": true, "ConvTranspose": true, "ConvInteger": true, "QLinearConv": true, "FusedConv": true, "NhwcConv": true,
	"MatMul": true, "MatMulInteger": true, "QLinearMatMul": true, "Gemm": true, "FusedMatMul": true, "FusedGemm": true, "Einsum": true,
	"AveragePool": true, "MaxPool": true, "LpPool": true, "MaxUnpool": true, "GlobalAveragePool": true, "GlobalMaxPool": true,
	"BatchNormalization": true, "InstanceNormalization": true, "LayerNormalization": true, "GroupNormalization": true, "LRN": true,
	"Attention": true, "LSTM": true, "GRU": true, "RNN": true, "Col2Im": true, "Resize": true, "Loop": true, "Scan": true,
}

// checkPlacement reads a placed graph and reports ErrPlacement for heavy nodes on the CPU.
func checkPlacement(file string, provider Provider) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read placement: %w", err)
	}
	placed, err := placements(data)
	if err != nil {
		return fmt.Errorf("read placement: %w", err)
	}
	return judge(placed, provider)
}

// judge reports ErrPlacement for heavy nodes on the CPU, naming the first ones.
func judge(placed []Placement, provider Provider) error {
	const shown = 5
	var found []string
	n := 0
	for _, p := range placed {
		if !heavy[p.Op] || p.Provider != "CPUExecutionProvider" && p.Provider != "" {
			continue
		}
		if n++; n <= shown {
			found = append(found, fmt.Sprintf("%s %q", p.Op, p.Name))
		}
	}
	if n == 0 {
		return nil
	}
	if n > shown {
		found = append(found, fmt.Sprintf("and %d more", n-shown))
	}
	return fmt.Errorf("%w: provider %q has no kernel for %s; allow the fallback or choose another opset or lowering",
		ErrPlacement, provider, strings.Join(found, ", "))
}

// placements reads the nodes of an ORT-format file, subgraphs included. Field indexes: ONNX Runtime's ort.fbs, tables
// InferenceSession, Model, Graph, Node and Attribute. This file is the one place where ONNX Runtime hands out
// placement through the calls that the wrapper has.
func placements(data []byte) ([]Placement, error) {
	session, err := flatRoot(data, "ORTM")
	if err != nil {
		return nil, err
	}
	model, err := session.table(1)
	if err != nil {
		return nil, err
	}
	graph, err := model.table(7)
	if err != nil {
		return nil, err
	}
	var out []Placement
	err = collect(graph, &out, 0)
	return out, err
}

func collect(graph flat, out *[]Placement, depth int) error {
	if depth > 64 { // a cycle of offsets
		return errFlat
	}
	return graph.tables(2, func(node flat) error {
		p := Placement{}
		for _, f := range []struct {
			index int
			to    *string
		}{{0, &p.Name}, {5, &p.Op}, {7, &p.Provider}} {
			var err error
			if *f.to, err = node.text(f.index); err != nil {
				return err
			}
		}
		*out = append(*out, p)
		return node.tables(10, func(attribute flat) error {
			body, err := attribute.table(7)
			if err != nil || body.buf == nil {
				return err
			}
			return collect(body, out, depth+1)
		})
	})
}
