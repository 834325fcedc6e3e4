// Package passtest holds pipelines of passes to their order constraints.
package passtest

import (
	"fmt"
	"slices"
	"testing"

	"rnas/compiler/graphtest"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
)

// Witness is a graph in which two passes leave fewer operators of a kind in the order that a constraint asks for than in
// the other one.
type Witness struct {
	First, Then string
	Operator    string                // in any domain
	If          func(n *ir.Node) bool // which of them count; nil for all
	Build       func(b op.B)
}

// Order checks that every pass of the pipelines has a reason, that no pipeline breaks a constraint, and that every constraint of the
// passes named in rows can be broken in some pipeline and has a witness, which comes out worse when it is.
func Order(t *testing.T, pipelines map[string][]pass.Pass, rows []string, witnesses []Witness) {
	t.Helper()
	broken := map[string]bool{}
	passes := map[string]pass.Pass{}
	for name, list := range pipelines {
		if err := disorder(list); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i, p := range list {
			passes[p.Name] = p
			if p.Why == "" {
				t.Errorf("%s: pass %s has no reason", name, p.Name)
			}
			for _, need := range p.After {
				k := slices.IndexFunc(list, func(q pass.Pass) bool { return q.Name == need.Pass })
				if k < 0 {
					continue
				}
				swapped := slices.Clone(list)
				swapped[i], swapped[k] = swapped[k], swapped[i]
				if disorder(swapped) == nil {
					t.Errorf("%s: %s and %s change places unseen", name, need.Pass, p.Name)
				}
				broken[need.Pass+" "+p.Name] = true
			}
		}
	}
	for _, name := range rows {
		if _, ok := passes[name]; !ok {
			t.Errorf("%s: no pipeline has it", name)
		}
		for _, need := range passes[name].After {
			if !broken[need.Pass+" "+name] {
				t.Errorf("%s before %s: no pipeline has both", need.Pass, name)
			}
			if !slices.ContainsFunc(witnesses, func(w Witness) bool { return w.First == need.Pass && w.Then == name }) {
				t.Errorf("%s before %s: no graph shows why", need.Pass, name)
			}
		}
	}
	for _, w := range witnesses {
		first, then := passes[w.First], passes[w.Then]
		if kept, violated := left(t, w, first, then), left(t, w, then, first); kept >= violated {
			t.Errorf("%s before %s: %d operators %s are left, %d in the other order", w.First, w.Then, kept, w.Operator, violated)
		}
	}
}

// left counts the operators of a witness's kind after some passes.
func left(t *testing.T, w Witness, passes ...pass.Pass) (n int) {
	t.Helper()
	g := graphtest.Build(t, w.Build)
	if err := (pass.Runner{Check: true}).Run(g, passes); err != nil {
		t.Fatal(err)
	}
	g.Walk(func(m *ir.Node) {
		if m.Op == w.Operator && (w.If == nil || w.If(m)) {
			n++
		}
	})
	return n
}

// disorder is the first constraint that a pipeline breaks.
func disorder(passes []pass.Pass) error {
	for i, p := range passes {
		for _, later := range passes[i+1:] {
			for _, need := range p.After {
				if need.Pass == later.Name {
					return fmt.Errorf("%s must stand before %s: %s", later.Name, p.Name, need.Why)
				}
			}
		}
	}
	return nil
}
