package attack

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Steps of fixed size along the sign of a gradient end in cycles: pixels stay at the bounds or swing between two values. When a
// step depends on the image alone, the steps of whole cycles need not be taken.

const (
	// cycleSteps is how many steps of a try lie between two looks. Nearly all cycles are of 2 or 4.
	cycleSteps = 4
	// cycleLooks is how many looks back a cycle may begin.
	cycleLooks = 6
)

// trail is the iterates [C,H,W] of a try at the latest looks, the newest last.
type trail [][]float32

// add appends x, which is copied, and tells how many looks before it the same iterate, bit for bit, was there; 0 for none.
func (t *trail) add(x []float32) int {
	ago := 0
	for i, past := range slices.Backward(*t) {
		if slices.EqualFunc(past, x, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			ago = len(*t) - i
			break
		}
	}
	var room []float32
	if len(*t) == cycleLooks {
		room = (*t)[0]
		*t = append((*t)[:0], (*t)[1:]...)
	}
	*t = append(*t, append(room[:0], x...))
	return ago
}

// repeats tells whether a step of the method on a classifier gives the same image whenever it begins from the same one.
func (m method) repeats(g *ir.Graph) bool {
	repeats := m.memoryless
	g.Walk(func(n *ir.Node) { repeats = repeats && !op.Random(n) })
	return repeats
}
