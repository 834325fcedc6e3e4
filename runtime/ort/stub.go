//go:build !cgo

package ort

import (
	"rnas/internal/carry"
	"rnas/internal/tensor"
)

// Without cgo there is no way to call ONNX Runtime: the package compiles, and everything that needs the library
// reports ErrNoCgo.

// Library cannot exist without cgo.
type Library struct{}

// Open reports ErrNoCgo.
func Open(string) (*Library, error) { return nil, ErrNoCgo }

// OpenDefault reports ErrNoCgo.
func OpenDefault(string) (*Library, error) { return nil, ErrNoCgo }

// Version is empty.
func (l *Library) Version() string { return "" }

// Path is empty.
func (l *Library) Path() string { return "" }

// Providers is empty.
func (l *Library) Providers() []Offer { return nil }

// ProviderNames is empty.
func ProviderNames() []string { return nil }

// Session cannot exist without cgo.
type Session struct{}

// NewSession reports ErrNoCgo.
func NewSession([]byte, Options) (*Session, error) { return nil, ErrNoCgo }

// Inputs is empty.
func (s *Session) Inputs() []Info { return nil }

// Outputs is empty.
func (s *Session) Outputs() []Info { return nil }

// Provider is empty.
func (s *Session) Provider() Provider { return "" }

// Run reports ErrNoCgo.
func (s *Session) Run(_, _ []*tensor.Tensor) error { return ErrNoCgo }

// RunAlloc reports ErrNoCgo.
func (s *Session) RunAlloc([]*tensor.Tensor) ([]*tensor.Tensor, error) { return nil, ErrNoCgo }

// Close does nothing.
func (s *Session) Close() error { return nil }

// Store cannot be stepped without cgo.
type Store struct{}

// NewStore makes a state that holds nothing.
func NewStore() *Store { return &Store{} }

// Add reports ErrNoCgo.
func (st *Store) Add(string, *tensor.Tensor) error { return ErrNoCgo }

// AddAll reports ErrNoCgo.
func (st *Store) AddAll([]carry.Initial) error { return ErrNoCgo }

// Names is empty.
func (st *Store) Names() []string { return nil }

// Get is nil.
func (st *Store) Get(string) *tensor.Tensor { return nil }

// Set reports ErrNoCgo.
func (st *Store) Set(string, *tensor.Tensor) error { return ErrNoCgo }

// Close does nothing.
func (st *Store) Close() error { return nil }

// Stepper cannot exist without cgo.
type Stepper struct{}

// NewStepper reports ErrNoCgo.
func NewStepper(*Session, *Store, []carry.Binding) (*Stepper, error) { return nil, ErrNoCgo }

func NewLaneStepper(*Session, *Store, []carry.Binding, int, int) (*Stepper, error) {
	return nil, ErrNoCgo
}

// Input is nil.
func (p *Stepper) Input(string) *tensor.Tensor { return nil }

// Output is nil.
func (p *Stepper) Output(string) *tensor.Tensor { return nil }

// Step reports ErrNoCgo.
func (p *Stepper) Step() error { return ErrNoCgo }

// Close does nothing.
func (p *Stepper) Close() error { return nil }
