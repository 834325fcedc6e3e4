package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"rnas/compiler/lower"
	"rnas/genotype"
)

// Derive discretises the architecture parameters of a supernet, of the shape of its AlphaShape. In the form DARTS (Liu et al.
// 2019, section 2.4) the strength of an edge is the largest weight of its primitives other than "none", see strengths; every node
// keeps its EdgesPerNode strongest incoming edges, the stronger one first, each with its strongest primitive, and all nodes are
// concatenated. In the form NASBench201 every edge has the primitive of its largest parameter, "none" among them, as in the
// public code of that benchmark. Of equals the one of the smaller number wins.
func Derive(alphas []float32, net lower.Supernet) (genotype.Genotype, error) {
	if err := net.Space.Validate(); err != nil {
		return genotype.Genotype{}, err
	}
	rows := edgeRows(alphas, net)
	if want := net.Kinds() * net.Edges(); len(rows) != want || len(alphas) != want*len(rows[0]) {
		return genotype.Genotype{}, fmt.Errorf("alphas: expected %v values, found %d", net.AlphaShape(), len(alphas))
	}
	if net.Form == genotype.NASBench201 {
		g := genotype.Genotype{Form: net.Form}
		for _, row := range rows {
			row = row[:len(net.Primitives)]
			g.Edges = append(g.Edges, net.Primitives[slices.Index(row, slices.Max(row))])
		}
		return g, nil
	}
	return genotype.Genotype{
		Normal: deriveCell(rows[:net.Edges()], net),
		Reduce: deriveCell(rows[net.Edges():], net),
	}, nil
}

// edgeRows are the architecture parameters of each edge, those of normal cells first.
func edgeRows(alphas []float32, net lower.Supernet) [][]float32 {
	return slices.Collect(slices.Chunk(alphas, int(net.AlphaShape()[2])))
}

// strengths are the weights of the primitives on the edges of a node: the softmax of each edge, with edge normalisation times
// that of the edge itself among them (Xu et al. 2020, section 3.3).
func strengths(rows [][]float32, net lower.Supernet) [][]float64 {
	out := make([][]float64, len(rows))
	betas := make([]float32, len(rows))
	for i, row := range rows {
		out[i], betas[i] = softmax(row[:len(net.Primitives)]), row[len(row)-1]
	}
	if net.EdgeNorm {
		for i, beta := range softmax(betas) {
			for p := range out[i] {
				out[i][p] *= beta
			}
		}
	}
	return out
}

func deriveCell(rows [][]float32, net lower.Supernet) genotype.Cell {
	type candidate struct {
		genotype.Edge
		strength float64
	}
	var edges []genotype.Edge
	for node := range net.Nodes {
		state := genotype.Inputs + node
		var in []candidate
		for from, weights := range strengths(rows[:state], net) {
			best := candidate{strength: -1}
			for i, p := range net.Primitives {
				if p != genotype.None && weights[i] > best.strength {
					best = candidate{genotype.Edge{Op: p, From: from}, weights[i]}
				}
			}
			in = append(in, best)
		}
		rows = rows[state:]
		slices.SortStableFunc(in, func(a, b candidate) int { return cmp.Compare(b.strength, a.strength) })
		for _, best := range in[:net.EdgesOf(node)] {
			edges = append(edges, best.Edge)
		}
	}
	return net.Cell(edges)
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

// Weights are the architecture weights of each edge, those of normal cells first: the softmax of its parameters over the primitives of
// the space. alphas has the shape net.AlphaShape().
func Weights(alphas []float32, net lower.Supernet) (rows [][]float64) {
	for _, row := range edgeRows(alphas, net) {
		rows = append(rows, softmax(row[:len(net.Primitives)]))
	}
	return rows
}

// entropy is the mean over edges of the entropy of the architecture weights, in nats: log(primitives) at first, 0 when decided.
func entropy(rows [][]float64) float64 {
	sum := 0.0
	for _, row := range rows {
		for _, p := range row {
			if p > 0 {
				sum -= p * math.Log(p)
			}
		}
	}
	return sum / float64(len(rows))
}
