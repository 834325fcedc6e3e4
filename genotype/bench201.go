package genotype

import (
	"fmt"
	"slices"
	"strings"
)

// NorConv1x1 and NorConv3x3 are ReLU, convolution and batch normalisation, the primitives of NAS-Bench-201 that DARTS
// lacks.
const (
	NorConv1x1 Primitive = "nor_conv_1x1"
	NorConv3x3 Primitive = "nor_conv_3x3"
)

// NASBench201Primitives are the candidates of the NAS-Bench-201 search space in the order of the public code. Callers
// must not change the slice.
var NASBench201Primitives = []Primitive{None, SkipConnect, NorConv1x1, NorConv3x3, AvgPool3x3}

// NASBench201Nodes is the number of nodes of a NAS-Bench-201 cell that have edges. Node i, from 1, reads the nodes 0 to
// i-1; node 0 is the input. The edges of the nodes stand one after the other in Genotype.Edges.
const NASBench201Nodes = 3

const bench201Edges = NASBench201Nodes * (NASBench201Nodes + 1) / 2

func validateBench201(edges []Primitive) error {
	if len(edges) != bench201Edges {
		return fmt.Errorf("%d edges, expected %d", len(edges), bench201Edges)
	}
	for i, p := range edges {
		if !slices.Contains(NASBench201Primitives, p) {
			return fmt.Errorf("edge %d: unknown operation %q, expected one of %s", i, abbreviate(string(p)), names(NASBench201Primitives))
		}
	}
	return nil
}

// bench201Text writes |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
func bench201Text(edges []Primitive) string {
	var b strings.Builder
	k := 0
	for node := range NASBench201Nodes {
		if node > 0 {
			b.WriteString("+")
		}
		b.WriteString("|")
		for from := range node + 1 {
			fmt.Fprintf(&b, "%s~%d|", edges[k], from)
			k++
		}
	}
	return b.String()
}

// bench201 reads what bench201Text writes; the inputs of a node must stand in order, as the public code writes them.
func (s *scanner) bench201() ([]Primitive, error) {
	var edges []Primitive
	for node := range NASBench201Nodes {
		if node > 0 {
			if err := s.expect("+"); err != nil {
				return nil, err
			}
		}
		if err := s.expect("|"); err != nil {
			return nil, err
		}
		for from := range node + 1 {
			op := s.word()
			if op == "" {
				return nil, s.errorf("expected an operation, found %s", s.found())
			}
			edges = append(edges, Primitive(op))
			if err := s.expect("~"); err != nil {
				return nil, err
			}
			start := s.pos
			if n, err := s.integer(); err != nil {
				return nil, err
			} else if n != from {
				s.pos = start
				return nil, s.errorf("expected input %d of node %d, found %d", from, node+1, n)
			}
			if err := s.expect("|"); err != nil {
				return nil, err
			}
		}
	}
	return edges, nil
}
