//go:build cgo

package ort

import (
	"fmt"
	"runtime"
	"slices"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"rnas/internal/carry"
	"rnas/internal/tensor"
)

// Stepper runs a program over and over on the same memory: state tensors are carried, all other inputs and outputs
// have buffers owned by the Stepper. It makes no tensors and no ONNX Runtime values after NewStepper, except for
// rank-0 inputs. The session and the state must outlive it.
type Stepper struct {
	session *Session
	state   *Store
	pin     runtime.Pinner

	in, out    []binding
	lanes      []lane // what the next runs pass; rewritten by Step
	crew       *crew
	written    []*slot
	hasScalars bool
	closed     bool
}

// binding is one input or output: a slot of the state, or a buffer of the Stepper's own with a value for each lane.
type binding struct {
	slot   *slot
	buffer *tensor.Tensor
	values []onnxruntime.Value
}

// lane is what a run on one group of rows of the buffers passes.
type lane struct{ ins, outs []onnxruntime.Value }

// NewStepper ties a session to a state. All shapes must be static, apart from those that the state decides.
func NewStepper(s *Session, st *Store, states []carry.Binding) (*Stepper, error) {
	return NewLaneStepper(s, st, states, 1, 1)
}

// newStepper makes a Stepper whose buffers have so many times the rows of the session's inputs and outputs, one group after the
// other; so many groups are worked on at a time.
func NewLaneStepper(s *Session, st *Store, states []carry.Binding, lanes, workers int) (*Stepper, error) {
	p := &Stepper{session: s, state: st, in: make([]binding, len(s.in)), out: make([]binding, len(s.out)), lanes: make([]lane, lanes)}
	p.crew = newCrew(lanes, workers, p.run)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil, fmt.Errorf("state: %w", ErrClosed)
	}
	if err := p.bind(states); err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

func (p *Stepper) bind(states []carry.Binding) error {
	for _, c := range states {
		if c.In == "" && c.Out == "" {
			return fmt.Errorf("carry of state %s: expected an input or an output, found neither", c.State)
		}
		slot, err := p.state.bind(c.State, c.Out != "")
		if err != nil {
			return err
		}
		if c.In != "" {
			if err := tie("input", c.In, p.session.in, p.in, slot); err != nil {
				return err
			}
		}
		if c.Out != "" {
			if len(p.lanes) > 1 {
				return fmt.Errorf("state %s: written by output %s, of %d groups of rows", c.State, c.Out, len(p.lanes))
			}
			if slices.Contains(p.written, slot) {
				return fmt.Errorf("state %s: written by two outputs", c.State)
			}
			if err := tie("output", c.Out, p.session.out, p.out, slot); err != nil {
				return err
			}
			p.written = append(p.written, slot)
		}
	}
	if err := p.own("input", p.session.in, p.in); err != nil {
		return err
	}
	if err := p.own("output", p.session.out, p.out); err != nil {
		return err
	}
	for i := range p.lanes {
		p.lanes[i] = lane{make([]onnxruntime.Value, len(p.in)), make([]onnxruntime.Value, len(p.out))}
	}
	for _, b := range slices.Concat(p.in, p.out) {
		if _, ok := b.at(0, 0).(scalar); ok {
			p.hasScalars = true
		}
	}
	return nil
}

// tie binds the input or output of that name to a slot.
func tie(kind, name string, infos []Info, to []binding, s *slot) error {
	i := find(infos, name)
	if i < 0 {
		return fmt.Errorf("%s %s: unknown; there are %q", kind, name, names(infos))
	}
	if to[i].slot != nil {
		return fmt.Errorf("%s %s: carried twice", kind, name)
	}
	if err := infos[i].accepts(s.tensors[0]); err != nil {
		return fmt.Errorf("%s %s: %w", kind, name, err)
	}
	to[i].slot = s
	return nil
}

func find(infos []Info, name string) int {
	return slices.IndexFunc(infos, func(i Info) bool { return i.Name == name })
}

// own gives a buffer to everything that is not carried.
func (p *Stepper) own(kind string, infos []Info, to []binding) error {
	for i, info := range infos {
		if to[i].slot != nil {
			continue
		}
		if !info.Static() {
			return fmt.Errorf("%s %s: expected a static shape", kind, info)
		}
		if _, err := tensor.Numel(info.Shape); err != nil {
			return fmt.Errorf("%s %s: %w", kind, info, err)
		}
		whole, parts, err := buffers(info, int64(len(p.lanes)))
		if err != nil {
			return fmt.Errorf("%s %s: %w", kind, info, err)
		}
		to[i].buffer = whole
		for _, t := range parts {
			v, err := newValue(t, &p.pin)
			if err != nil {
				return fmt.Errorf("%s %s: %w", kind, info, err)
			}
			to[i].values = append(to[i].values, v)
		}
	}
	return nil
}

// buffers makes a tensor with so many times the rows of info, and its groups of rows, which share its memory.
func buffers(info Info, lanes int64) (whole *tensor.Tensor, parts []*tensor.Tensor, err error) {
	if lanes == 1 {
		whole = tensor.Zeros(info.DType, info.Shape...)
		return whole, []*tensor.Tensor{whole}, nil
	}
	if len(info.Shape) == 0 {
		return nil, nil, fmt.Errorf("expected rows, found rank 0")
	}
	shape := slices.Clone(info.Shape)
	shape[0] *= lanes
	if _, err := tensor.Numel(shape); err != nil {
		return nil, nil, err
	}
	whole = tensor.Zeros(info.DType, shape...)
	for i := range lanes {
		parts = append(parts, whole.Rows(i*info.Shape[0], (i+1)*info.Shape[0]))
	}
	return whole, parts, nil
}

// Input is the buffer of an input that is not carried, to be written before Step; nil for any other name.
func (p *Stepper) Input(name string) *tensor.Tensor { return buffer(p.session.in, p.in, name) }

// Output is the buffer of an output that is not carried, valid after Step until the next one; nil for any other name.
func (p *Stepper) Output(name string) *tensor.Tensor { return buffer(p.session.out, p.out, name) }

func buffer(infos []Info, bindings []binding, name string) *tensor.Tensor {
	if i := find(infos, name); i >= 0 {
		return bindings[i].buffer
	}
	return nil
}

// Step runs the program once and makes the state it wrote current. After an error the state is what it was before.
func (p *Stepper) Step() error {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if p.closed {
		return fmt.Errorf("stepper: %w", ErrClosed)
	}
	if p.state.closed {
		return fmt.Errorf("state: %w", ErrClosed)
	}
	if err := p.crew.all(); err != nil {
		return err
	}
	for _, s := range p.written {
		s.current = 1 - s.current
	}
	return nil
}

// run runs one lane.
func (p *Stepper) run(i int) error {
	l := p.lanes[i]
	for k := range p.in {
		l.ins[k] = p.in[k].at(i, 0)
	}
	for k := range p.out {
		l.outs[k] = p.out[k].at(i, 1)
	}
	if p.hasScalars {
		for _, v := range l.ins {
			if c, ok := v.(scalar); ok {
				if err := c.load(); err != nil {
					return err
				}
			}
		}
	}
	if err := p.session.run(l.ins, l.outs); err != nil {
		return err
	}
	if p.hasScalars {
		store(l.outs)
	}
	return nil
}

// at is the value of a buffer of its own, or of the slot's current (ahead 0) or next (ahead 1) tensor.
func (b *binding) at(lane, ahead int) onnxruntime.Value {
	if b.slot == nil {
		return b.values[lane]
	}
	return b.slot.values[b.slot.current^ahead]
}

// Close frees the Stepper's buffers; the session and the state stay open. Closing twice is harmless.
func (p *Stepper) Close() error {
	p.state.mu.Lock()
	defer p.state.mu.Unlock()
	if !p.closed {
		p.release()
	}
	return nil
}

func (p *Stepper) release() {
	p.closed = true
	for _, b := range slices.Concat(p.in, p.out) {
		destroy(b.values)
	}
	p.pin.Unpin()
}
