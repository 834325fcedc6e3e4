//go:build cgo

package ort

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"rnas/internal/tensor"
)

// Session is a loaded model. Run and RunAlloc may be called from several goroutines at once; each call needs output
// tensors of its own. Close waits for running calls.
type Session struct {
	in, out  []Info
	provider Provider

	mu  sync.RWMutex
	ort *onnxruntime.DynamicAdvancedSession // nil after Close
	// Device runtimes install signal handlers as late as in their first kernel.
	first sync.Once
}

// NewSession loads a serialized ONNX model; the library must be open. Errors: ErrNoLibrary when it is not,
// ErrNoProvider when the library lacks the provider, ErrPlacement when a heavy node would run on the CPU instead.
func NewSession(model []byte, o Options) (*Session, error) {
	if current() == nil {
		return nil, fmt.Errorf("%w: open one before creating a session", ErrNoLibrary)
	}
	in, out, err := signature(model)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("model has no outputs")
	}
	s := &Session{in: in, out: out, provider: o.Provider.Canonical()}
	if err := keepSignals(func() error { return s.create(model, o) }); err != nil {
		return nil, err
	}
	return s, nil
}

func names(infos []Info) []string {
	out := make([]string, len(infos))
	for i, info := range infos {
		out[i] = info.Name
	}
	return out
}

// Inputs describes the model's inputs, in the order Run takes them.
func (s *Session) Inputs() []Info { return slices.Clone(s.in) }

// Outputs describes the model's outputs, in the order Run takes them.
func (s *Session) Outputs() []Info { return slices.Clone(s.out) }

// Provider is the execution provider the session was created for.
func (s *Session) Provider() Provider { return s.provider }

// Close frees the model. Closing twice is harmless.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ort == nil {
		return nil
	}
	err := s.ort.Destroy()
	s.ort = nil
	return err
}

// Run computes the outputs into the given tensors, which must have the shapes the model produces. Inputs and outputs
// stand in the order of Inputs and Outputs and must not share memory. The tensors' memory is used in place; after an
// error the contents of the outputs are undefined.
func (s *Session) Run(in, out []*tensor.Tensor) error {
	if err := check("input", s.in, in); err != nil {
		return err
	}
	if err := check("output", s.out, out); err != nil {
		return err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	ins, err := newValues(in, &pin)
	if err != nil {
		return err
	}
	defer destroy(ins)
	outs, err := newValues(out, &pin)
	if err != nil {
		return err
	}
	defer destroy(outs)
	if err := s.run(ins, outs); err != nil {
		return err
	}
	store(outs)
	return nil
}

// RunAlloc computes the outputs into new tensors. Outputs of a static shape are written in place; the others are
// allocated by ONNX Runtime and copied. Dynamic float16 and bfloat16 outputs are not supported.
func (s *Session) RunAlloc(in []*tensor.Tensor) ([]*tensor.Tensor, error) {
	if err := check("input", s.in, in); err != nil {
		return nil, err
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	ins, err := newValues(in, &pin)
	if err != nil {
		return nil, err
	}
	defer destroy(ins)
	out := make([]*tensor.Tensor, len(s.out))
	outs := make([]onnxruntime.Value, len(s.out))
	defer func() { destroy(outs) }()
	for i, info := range s.out {
		if !info.Static() {
			if info.DType.Size() == 2 && info.DType.IsFloat() {
				return nil, fmt.Errorf("output %s: a dynamic shape is not supported for %s", info, info.DType)
			}
			continue
		}
		if _, err := tensor.Numel(info.Shape); err != nil {
			return nil, fmt.Errorf("output %s: %w", info, err)
		}
		out[i] = tensor.Zeros(info.DType, info.Shape...)
		if outs[i], err = newValue(out[i], &pin); err != nil {
			return nil, fmt.Errorf("output %s: %w", info, err)
		}
	}
	if err := s.run(ins, outs); err != nil {
		return nil, err
	}
	store(outs)
	for i, info := range s.out {
		if out[i] != nil {
			continue
		}
		if out[i], err = fromValue(outs[i]); err != nil {
			return nil, fmt.Errorf("output %s: %w", info, err)
		}
	}
	return out, nil
}

// run calls ONNX Runtime with values in the order of the session's inputs and outputs.
func (s *Session) run(ins, outs []onnxruntime.Value) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.ort == nil {
		return fmt.Errorf("session: %w", ErrClosed)
	}
	var err error
	call := func() error { return s.call(ins, outs) }
	ran := false
	s.first.Do(func() { err, ran = keepSignals(call), true })
	if ran {
		return err
	}
	return s.call(ins, outs)
}

func (s *Session) call(ins, outs []onnxruntime.Value) error {
	if len(ins) > 0 {
		return s.ort.Run(ins, outs)
	}
	// The wrapper's Run takes the address of the first input.
	b, err := s.ort.CreateIoBinding()
	if err != nil {
		return err
	}
	defer b.Destroy()
	for i, v := range outs {
		if v == nil {
			return fmt.Errorf("output %s: a dynamic shape is not supported for a model without inputs", s.out[i])
		}
		if err := b.BindOutput(s.out[i].Name, v); err != nil {
			return err
		}
	}
	return s.ort.RunWithBinding(b)
}

func newValues(tensors []*tensor.Tensor, pin *runtime.Pinner) ([]onnxruntime.Value, error) {
	values := make([]onnxruntime.Value, len(tensors))
	for i, t := range tensors {
		v, err := newValue(t, pin)
		if err != nil {
			destroy(values)
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

func store(values []onnxruntime.Value) {
	for _, v := range values {
		if c, ok := v.(scalar); ok {
			c.store()
		}
	}
}

// check compares tensors with what the model declares, and each tensor's element count with its own shape.
func check(kind string, want []Info, got []*tensor.Tensor) error {
	if len(got) != len(want) {
		return fmt.Errorf("expected %d %ss, found %d", len(want), kind, len(got))
	}
	for i, info := range want {
		if err := info.accepts(got[i]); err != nil {
			return fmt.Errorf("%s %s: %w", kind, info.Name, err)
		}
	}
	return nil
}
