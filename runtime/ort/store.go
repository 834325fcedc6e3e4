//go:build cgo

package ort

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"rnas/internal/carry"
	"rnas/internal/tensor"
)

// Store is a named set of tensors carried from run to run, shared by the Steppers of several programs. A tensor that
// some program writes is double-buffered: programs read the current buffer, write the next one, and Step swaps them.
//
// Steps over the same Store exclude each other. Reading or writing a tensor's elements while a Step runs is a race.
type Store struct {
	mu     sync.Mutex
	names  []string
	slots  map[string]*slot
	pin    runtime.Pinner
	closed bool
}

// slot is one tensor of the state. The buffers at index 1 exist once a program writes it.
type slot struct {
	current int
	tensors [2]*tensor.Tensor
	values  [2]onnxruntime.Value
}

// NewStore makes an empty state.
func NewStore() *Store { return &Store{slots: map[string]*slot{}} }

// Add adds a tensor under a new name. The state takes the tensor over: it is the first current buffer, not a copy.
func (st *Store) Add(name string, t *tensor.Tensor) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return fmt.Errorf("state: %w", ErrClosed)
	}
	if _, ok := st.slots[name]; ok {
		return fmt.Errorf("state %s: already there", name)
	}
	if err := wellFormed(t); err != nil {
		return fmt.Errorf("state %s: %w", name, err)
	}
	st.names = append(st.names, name)
	st.slots[name] = &slot{tensors: [2]*tensor.Tensor{t}}
	return nil
}

// AddAll adds states at their first values, in order.
func (st *Store) AddAll(list []carry.Initial) error {
	for _, s := range list {
		if err := st.Add(s.State, s.Value); err != nil {
			return err
		}
	}
	return nil
}

// Names lists the tensors in the order they were added.
func (st *Store) Names() []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.names)
}

// Get is the current value, not a copy; nil for an unknown name. It stays current until the next Step that writes it,
// and its memory is overwritten by the Step after that one.
func (st *Store) Get(name string) *tensor.Tensor {
	st.mu.Lock()
	defer st.mu.Unlock()
	s, ok := st.slots[name]
	if !ok {
		return nil
	}
	return s.tensors[s.current]
}

// Set copies t into the current buffer; its type and shape must be those of the tensor that was added.
func (st *Store) Set(name string, t *tensor.Tensor) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return fmt.Errorf("state: %w", ErrClosed)
	}
	s, ok := st.slots[name]
	if !ok {
		return fmt.Errorf("state %s: unknown; there are %q", name, st.names)
	}
	to := s.tensors[s.current]
	if err := infoOf(name, to).accepts(t); err != nil {
		return fmt.Errorf("state %s: %w", name, err)
	}
	copy(tensor.Bytes(to), tensor.Bytes(t))
	return nil
}

// Close frees the state's ONNX Runtime values. The tensors stay readable. Closing twice is harmless.
func (st *Store) Close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return nil
	}
	st.closed = true
	for _, name := range st.names {
		destroy(st.slots[name].values[:])
	}
	st.pin.Unpin()
	return nil
}

// bind prepares a slot for reading, and for writing when asked.
func (st *Store) bind(name string, write bool) (*slot, error) {
	s, ok := st.slots[name]
	if !ok {
		return nil, fmt.Errorf("state %s: unknown; there are %q", name, st.names)
	}
	if write && s.tensors[1] == nil {
		s.tensors[1] = tensor.Zeros(s.tensors[0].DType(), s.tensors[0].Shape...)
	}
	for i, t := range s.tensors {
		if t == nil || s.values[i] != nil {
			continue
		}
		v, err := newValue(t, &st.pin)
		if err != nil {
			return nil, fmt.Errorf("state %s: %w", name, err)
		}
		s.values[i] = v
	}
	return s, nil
}

// infoOf describes a tensor the way a model declares one.
func infoOf(name string, t *tensor.Tensor) Info {
	return Info{Name: name, DType: t.DType(), Shape: t.Shape, Ranked: true}
}

func wellFormed(t *tensor.Tensor) error {
	if t == nil {
		return fmt.Errorf("expected a tensor, found nil")
	}
	return infoOf("", t).accepts(t)
}
