package runtime

import (
	"cmp"
	"fmt"
	"strings"

	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
)

// Launch prepares a program for a provider (the passes of compiler/pass rewrite its graph in place), hands it to ONNX
// Runtime and ties its states to st. Closing the returned Running closes stepper and session.
func Launch(p *program.Program, st *State, o Options) (*Running, error) {
	if err := pass.Run(p.Graph, passes(o.Provider)); err != nil {
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
	carry := make([]Carry, len(p.State))
	for i, c := range p.State {
		carry[i] = Carry{In: c.In, Out: c.Out, State: c.Name}
	}
	step, err := NewStepper(s, st, carry)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", p.Graph.Name, err)
	}
	return &Running{Stepper: step, session: s}, nil
}

// passes is the pipeline of a program for a provider. On the CPU the pass Blocked chooses the layout; weights that are
// constant are laid out at compile time. Normalisation is not folded here: a gradient is that of the graph that was
// differentiated, kinks included.
func passes(provider string) []pass.Pass {
	provider = cmp.Or(strings.ToLower(provider), "cpu")
	out := pass.Training(provider)
	if provider == "cpu" {
		if block, err := BlockSize(); err == nil {
			out = append(out, pass.Blocked(block))
		}
	}
	return out
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
