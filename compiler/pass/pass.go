// Package pass rewrites graphs for every execution provider: it removes what is not used, computes what is constant, merges what
// is equal, and converts weights to float16 or 8-bit integers. A pass keeps the function that the graph computes, up to rounding,
// and the names, types and shapes of the inputs and outputs of every graph, nested ones included.
package pass

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Pass is one rewrite. Run changes g in place; after an error g is not usable.
type Pass struct {
	Name  string
	Why   string // what the graph gains
	After []Need // passes that, in a pipeline with both, stand before this one
	Run   func(g *ir.Graph) error
}

// Need is a pass that another one relies on, and why.
type Need struct {
	Pass string `json:"pass"`
	Why  string `json:"why"`
}

// Runner runs passes and lets others watch. The zero Runner only runs them.
type Runner struct {
	// Check verifies the graph after every pass: structure, types and shapes.
	Check bool
	// Trace, if set, sees the graph after every pass and must not change it.
	Trace func(p Pass, g *ir.Graph)
}

// Run applies passes to g in order. An error names the pass.
func Run(g *ir.Graph, passes []Pass) error { return Runner{}.Run(g, passes) }

// Run applies passes to g in order. An error names the pass.
func (r Runner) Run(g *ir.Graph, passes []Pass) error {
	for _, p := range passes {
		err := p.Run(g)
		if err == nil && r.Check {
			err = op.Verify(g)
		}
		if err != nil {
			return fmt.Errorf("graph %s: pass %s: %w", g.Name, p.Name, err)
		}
		if r.Trace != nil {
			r.Trace(p, g)
		}
	}
	return nil
}
