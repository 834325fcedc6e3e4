// Package carry names what a program hands from run to run, for the compiler that makes programs and the binding that runs them.
package carry

import "rnas/internal/tensor"

// Initial is the first value of a state.
type Initial struct {
	State string
	Value *tensor.Tensor
}

// Binding ties an input and an output of a program to a tensor of a store that outlives the run: In is fed from the tensor's current
// buffer, Out is written to its next one. A program that only reads a state leaves Out empty, one that only writes it In.
type Binding struct {
	State, In, Out string
}
