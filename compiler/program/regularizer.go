package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Regularizer is the robustness term R of the search: how far the output moves between an image and its perturbed twin.
type Regularizer string

// Forms of the regularizer, for clean logits f and perturbed logits f'.
const (
	KL        Regularizer = "kl"         // KL(f || f'), the term of TRADES with noise in place of the adversary
	ReverseKL Regularizer = "reverse-kl" // KL(f' || f)
	SymKL     Regularizer = "sym-kl"     // the mean of both
	MSE       Regularizer = "mse"        // mean squared difference of the logits
	CE        Regularizer = "ce"         // cross-entropy on the perturbed images
)

// Regularizers lists the forms.
func Regularizers() []Regularizer { return []Regularizer{KL, ReverseKL, SymKL, MSE, CE} }

// Validate checks that the form is known.
func (r Regularizer) Validate() error {
	for _, k := range Regularizers() {
		if r == k {
			return nil
		}
	}
	return fmt.Errorf("regularizer %q is not known: expected one of %v", r, Regularizers())
}

// term is R averaged over the images, shape [1].
func (r Regularizer) term(b op.B, clean, noisy, target *ir.Value) *ir.Value {
	switch r {
	case KL:
		return mean(b, divergence(b, clean, noisy))
	case ReverseKL:
		return mean(b, divergence(b, noisy, clean))
	case SymKL:
		return b.Scale(b.Add(mean(b, divergence(b, clean, noisy)), mean(b, divergence(b, noisy, clean))), 0.5)
	case MSE:
		d := b.Sub(clean, noisy)
		return mean(b, b.ReduceMean(b.Mul(d, d), false, 1))
	case CE:
		return mean(b, crossEntropy(b, noisy, target))
	}
	b.Fail("%w", r.Validate())
	return clean
}
