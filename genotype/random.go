package genotype

import (
	"fmt"
	"math/bits"
	"slices"
)

// Source yields independent uniform 32-bit words.
type Source interface {
	Uint32() uint32
}

// Random draws a genotype uniformly: for each of the nodes of the normal and then the reduce cell, two distinct inputs
// out of all earlier states (listed in ascending order) and a primitive for each, out of prims without None. Every node
// is concatenated. The genotype is a function of the words of r alone.
//
// It panics if nodes is not positive or prims holds nothing but None.
func Random(r Source, nodes int, prims []Primitive) Genotype {
	ops := slices.DeleteFunc(slices.Clone(prims), func(p Primitive) bool { return p == None })
	if nodes < 1 || len(ops) == 0 {
		panic(fmt.Sprintf("genotype: random cell of %d nodes over %d primitives, expected at least 1 of each", nodes, len(ops)))
	}
	return Genotype{Normal: randomCell(r, nodes, ops), Reduce: randomCell(r, nodes, ops)}
}

func randomCell(r Source, nodes int, ops []Primitive) Cell {
	var c Cell
	for state := Inputs; state < Inputs+nodes; state++ {
		a, b := randomBelow(r, state), randomBelow(r, state-1)
		if b >= a {
			b++
		}
		for _, from := range []int{min(a, b), max(a, b)} {
			c.Edges = append(c.Edges, Edge{Op: ops[randomBelow(r, len(ops))], From: from})
		}
		c.Concat = append(c.Concat, state)
	}
	return c
}

// randomBelow returns a uniform integer in [0, n), n >= 1, without bias: the high word of a product with n, where the
// 2^32 mod n surplus low words are drawn again (Lemire, "Fast Random Integer Generation in an Interval", TOMACS 2019).
func randomBelow(r Source, n int) int {
	bound := uint32(n)
	surplus := -bound % bound
	for {
		hi, lo := bits.Mul32(r.Uint32(), bound)
		if lo >= surplus {
			return int(hi)
		}
	}
}
