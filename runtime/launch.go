package runtime

import (
	"fmt"
	"runtime/debug"
	"sync"

	"rnas/compiler/cpu"
	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/runtime/ort"
)

// Launch prepares a program for a provider (the passes of compiler/pass rewrite its graph in place), hands it to ONNX
// Runtime and ties its states to st. Closing the returned Running closes stepper and session.
func Launch(p *program.Program, st *ort.Store, o ort.Options) (*Running, error) {
	l, err := load(p, o)
	if err != nil {
		return nil, err
	}
	return l.tie(st, 1, 1)
}

// LaunchAll compiles and launches several programs over one state, all at the same time. The result is in the order of the
// functions, and so is the precedence of their errors; after one nothing is left open.
func LaunchAll(st *ort.Store, o ort.Options, compile ...func() (*program.Program, error)) ([]*Running, error) {
	// All that is made lives until the sessions are there: collecting it more often takes a twentieth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(300))
	all, errs := make([]*ready, len(compile)), make([]error, len(compile))
	var wait sync.WaitGroup
	for i, f := range compile {
		wait.Go(func() {
			p, err := f()
			if err == nil {
				all[i], err = load(p, o)
			}
			errs[i] = err
		})
	}
	wait.Wait()
	var running []*Running
	var err error
	for i, l := range all {
		switch {
		case err == nil && errs[i] == nil:
			var r *Running
			if r, err = l.tie(st, 1, 1); err == nil {
				running = append(running, r)
			}
		case err == nil:
			err = errs[i]
		case l != nil:
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

// ready is a program in a session.
type ready struct {
	*program.Program
	session *ort.Session
	names   nodeNames
}

// large is the size in bytes from which on a model's copies in ONNX Runtime are worth collecting garbage first.
const large = 64 << 20

// load makes the session of a program. A profile has the names of its nodes.
func load(p *program.Program, o ort.Options) (*ready, error) {
	if err := pass.Run(p.Graph, passes(p.Graph, o.Provider)); err != nil {
		return nil, err
	}
	l := &ready{Program: p}
	if o.Profile == "" {
		l.names = shorten(p.Graph)
	}
	model, err := export.Marshal(p.Graph, export.Options{})
	if err != nil {
		return nil, err
	}
	if len(model) >= large {
		debug.FreeOSMemory() // what compiling left behind
	}
	if l.session, err = ort.NewSession(model, o); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Graph.Name, l.names.in(err))
	}
	return l, nil
}

// tie makes the stepper of l over a state, with so many groups of rows and workers on them; after an error the session is closed.
func (l *ready) tie(st *ort.Store, lanes, workers int) (*Running, error) {
	step, err := ort.NewLaneStepper(l.session, st, l.State, lanes, workers)
	if err != nil {
		l.session.Close()
		return nil, fmt.Errorf("%s: %w", l.Graph.Name, err)
	}
	return &Running{Stepper: step, session: l.session, names: l.names}, nil
}

// ForwardPasses is the pipeline of a forward graph with constant weights before a program for a provider is made of it. What it
// changes, a gradient has to see.
func ForwardPasses(provider ort.Provider) []pass.Pass {
	if provider.IsCPU() {
		return cpu.Forward(blockSizeOr0())
	}
	return pass.Inference()
}

// passes is the pipeline of a program for a provider.
func passes(g *ir.Graph, provider ort.Provider) []pass.Pass {
	if !provider.IsCPU() {
		return append(pass.Training(), cpu.Stack)
	}
	block := blockSizeOr0()
	if block > 0 && leftPlain(g, block) {
		block = 0
	}
	return cpu.Program(block)
}

// blockSizeOr0 is BlockSize, or 0 where this machine cannot use the layout.
func blockSizeOr0() int64 {
	block, err := BlockSize()
	if err != nil {
		return 0
	}
	return block
}

// leftPlain reports whether ONNX Runtime lays g out better than the pass NCHWc: it is plain inference with constant weights, and
// some channels do not fill blocks, which ONNX Runtime then fills up by itself.
func leftPlain(g *ir.Graph, block int64) bool {
	plain, whole := true, true
	g.Walk(func(n *ir.Node) {
		plain = plain && !grad.Made(n)
		if n.Op == "Conv" && n.Domain == "" {
			plain = plain && n.In[1].IsConst() && !cpu.Winograd(n, block)
			whole = whole && n.Out[0].Shape[1]%block == 0
		}
	})
	return plain && !whole
}

// Running is a program in execution.
type Running struct {
	*ort.Stepper
	session *ort.Session
	names   nodeNames
}

// Step is that of the Stepper.
func (r *Running) Step() error { return r.names.in(r.Stepper.Step()) }

// Close releases the stepper and its session.
func (r *Running) Close() error {
	err := r.Stepper.Close()
	if cerr := r.session.Close(); err == nil {
		err = cerr
	}
	return err
}
