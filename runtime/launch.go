package runtime

import (
	"cmp"
	"fmt"
	"strings"
	"sync"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
)

// Launch prepares a program for a provider (the passes of compiler/pass rewrite its graph in place), hands it to ONNX
// Runtime and ties its states to st. Closing the returned Running closes stepper and session.
func Launch(p *program.Program, st *State, o Options) (*Running, error) {
	s, err := load(p, o)
	if err != nil {
		return nil, err
	}
	return tieStates(p, s, st, 1, 1)
}

// LaunchAll compiles and launches several programs over one state, all at the same time. The result is in the order of the
// functions, and so is the precedence of their errors; after one nothing is left open.
func LaunchAll(st *State, o Options, compile ...func() (*program.Program, error)) ([]*Running, error) {
	type loaded struct {
		program *program.Program
		session *Session
		err     error
	}
	all := make([]loaded, len(compile))
	var wait sync.WaitGroup
	for i, f := range compile {
		wait.Go(func() {
			l := &all[i]
			if l.program, l.err = f(); l.err == nil {
				l.session, l.err = load(l.program, o)
			}
		})
	}
	wait.Wait()
	var running []*Running
	var err error
	for _, l := range all {
		switch {
		case err == nil && l.err == nil:
			var r *Running
			if r, err = tieStates(l.program, l.session, st, 1, 1); err == nil {
				running = append(running, r)
			}
		case err == nil:
			err = l.err
		case l.session != nil:
			l.session.Close() // frees memory only
		}
	}
	if err != nil {
		for _, r := range running {
			r.Close() // frees memory only
		}
		return nil, err
	}
	return running, nil
}

// load makes the session of a program.
func load(p *program.Program, o Options) (*Session, error) {
	if err := pass.Run(p.Graph, passes(p.Graph, o.Provider)); err != nil {
		return nil, err
	}
	model, err := export.Marshal(p.Graph, export.Options{})
	if err != nil {
		return nil, err
	}
	s, err := NewSession(model, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Graph.Name, err)
	}
	return s, nil
}

// tieStates makes the stepper of a session of p; after an error the session is closed.
func tieStates(p *program.Program, s *Session, st *State, lanes, workers int) (*Running, error) {
	carry := make([]Carry, len(p.State))
	for i, c := range p.State {
		carry[i] = Carry{In: c.In, Out: c.Out, State: c.Name}
	}
	step, err := newStepper(s, st, carry, lanes, workers)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", p.Graph.Name, err)
	}
	return &Running{Stepper: step, session: s}, nil
}

// ForwardPasses is the pipeline of a forward graph with constant weights before a program for a provider is made of it. What it
// changes, a gradient has to see.
func ForwardPasses(provider string) []pass.Pass {
	out := pass.Inference("")
	if block, err := BlockSize(); onCPU(provider) && err == nil {
		out = append(out, pass.Widen(block))
	}
	return out
}

// passes is the pipeline of a program for a provider. On the CPU the pass Blocked chooses the layout; weights that are
// constant are laid out at compile time. Normalisation is not folded here: a gradient is that of the graph that was
// differentiated, kinks included.
func passes(g *ir.Graph, provider string) []pass.Pass {
	out := pass.Training(cmp.Or(strings.ToLower(provider), "cpu"))
	if onCPU(provider) {
		if block, err := BlockSize(); err == nil && !leftPlain(g, block) {
			out = append(out, pass.Blocked(block))
		}
		out = append(out, pass.Sums)
	}
	return append(out, pass.Stack)
}

// onCPU reports whether a provider of that name is the CPU's.
func onCPU(provider string) bool { return provider == "" || strings.EqualFold(provider, "cpu") }

// leftPlain reports whether ONNX Runtime lays g out better than the pass Blocked: it is plain inference with constant weights, and
// some channels do not fill blocks, which ONNX Runtime then fills up by itself.
func leftPlain(g *ir.Graph, block int64) bool {
	plain, whole := true, true
	g.Walk(func(n *ir.Node) {
		plain = plain && !grad.Made(n)
		if n.Op == "Conv" && n.Domain == "" {
			plain = plain && n.In[1].IsConst() && !pass.Winograd(n, block)
			whole = whole && n.Out[0].Shape[1]%block == 0
		}
	})
	return plain && !whole
}

// Running is a program in execution.
type Running struct {
	*Stepper
	session *Session
}

// Close releases the stepper and its session.
func (r *Running) Close() error {
	err := r.Stepper.Close()
	if cerr := r.session.Close(); err == nil {
		err = cerr
	}
	return err
}
