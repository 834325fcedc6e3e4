package search

import (
	"fmt"
	"math"
	"slices"

	"rnas/genotype"
)

// Derive discretises architecture parameters [2,edges,primitives], normal cells first, as DARTS does (Liu et al. 2019,
// section 2.4): the strength of an edge is the largest softmax weight of its primitives other than "none"; every node
// keeps its two strongest incoming edges, the stronger one first, each with its strongest primitive. Of equals the one of
// the smaller number wins. All nodes are concatenated.
func Derive(alphas []float32, nodes int, primitives []genotype.Primitive) (genotype.Genotype, error) {
	if err := validSpace(nodes, primitives); err != nil {
		return genotype.Genotype{}, err
	}
	half := nodes * (nodes + 3) / 2 * len(primitives)
	if len(alphas) != 2*half {
		return genotype.Genotype{}, fmt.Errorf("alphas: expected %d values for %d nodes and %d primitives, found %d", 2*half, nodes, len(primitives), len(alphas))
	}
	return genotype.Genotype{
		Normal: deriveCell(alphas[:half], nodes, primitives),
		Reduce: deriveCell(alphas[half:], nodes, primitives),
	}, nil
}

func deriveCell(alphas []float32, nodes int, primitives []genotype.Primitive) genotype.Cell {
	type candidate struct {
		genotype.Edge
		strength float64
	}
	var c genotype.Cell
	for state := genotype.Inputs; state < genotype.Inputs+nodes; state++ {
		var in []candidate
		for from := range state {
			weights := softmax(alphas[:len(primitives)])
			alphas = alphas[len(primitives):]
			best := candidate{strength: -1}
			for i, p := range primitives {
				if p != genotype.None && weights[i] > best.strength {
					best = candidate{genotype.Edge{Op: p, From: from}, weights[i]}
				}
			}
			in = append(in, best)
		}
		slices.SortStableFunc(in, func(a, b candidate) int {
			switch {
			case a.strength > b.strength:
				return -1
			case a.strength < b.strength:
				return 1
			}
			return 0
		})
		for _, best := range in[:genotype.EdgesPerNode] {
			c.Edges = append(c.Edges, best.Edge)
		}
		c.Concat = append(c.Concat, state)
	}
	return c
}

// softmax is the distribution of a row of architecture parameters.
func softmax(row []float32) []float64 {
	top := float64(slices.Max(row))
	out, sum := make([]float64, len(row)), 0.0
	for i, a := range row {
		out[i] = math.Exp(float64(a) - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// entropy is the mean over edges of the entropy of the primitives, in nats: log(primitives) at first, 0 when decided.
func entropy(alphas []float32, primitives int) float64 {
	sum := 0.0
	for row := range slices.Chunk(alphas, primitives) {
		for _, p := range softmax(row) {
			if p > 0 {
				sum -= p * math.Log(p)
			}
		}
	}
	return sum / float64(len(alphas)/primitives)
}
