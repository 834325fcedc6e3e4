package attack

import (
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Steps of fixed size along the sign of a gradient end in cycles: pixels stay at the bounds or swing between two values. Where a
// step depends on the image alone, the steps of whole cycles are left out.

const (
	// cycleSteps is the number of steps between two looks at an iterate. Nearly all cycles have 2 or 4 steps.
	cycleSteps = 4
	// cycleLooks is the largest number of looks that a cycle lasts.
	cycleLooks = 6
)

// trail is the iterates [C,H,W] of a try at the latest looks, the newest last.
type trail [][]float32

// add appends a copy of x. It returns how many looks ago the iterate was the same in every bit; 0 for never.
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

// repeats tells whether a step of the method on the classifier g always makes the same image of the same image.
func (m method) repeats(g *ir.Graph) bool {
	repeats := m.memoryless
	g.Walk(func(n *ir.Node) { repeats = repeats && !op.Random(n) })
	return repeats
}
