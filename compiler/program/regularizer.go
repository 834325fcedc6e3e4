package program

import (
	"fmt"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Regularizer is the name of a robustness term R of the search: how far the output moves between an image and its perturbed copy.
type Regularizer string

// Names of regularizers that code asks for.
const (
	KL        Regularizer = "kl"
	ReverseKL Regularizer = "reverse-kl"
	SymKL     Regularizer = "sym-kl"
	MSE       Regularizer = "mse"
	CE        Regularizer = "ce"
)

// regularizer is a row: the term of each image [B] for logits [B,K] of the clean and of the perturbed images and the target
// distribution [B,K].
type regularizer struct {
	name  Regularizer
	about string
	term  func(b op.B, clean, perturbed, target *ir.Value) *ir.Value
}

// regularizers are in the order of the documentation, for clean logits f and perturbed logits f'.
var regularizers = []regularizer{
	{KL, "KL(f || f'), the term of TRADES (Zhang et al. 2019) with noise in place of the adversary", func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value {
		return divergence(b, clean, perturbed)
	}},
	{ReverseKL, "KL(f' || f)", func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value {
		return divergence(b, perturbed, clean)
	}},
	{SymKL, "the mean of both", func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value {
		return b.Scale(b.Add(divergence(b, clean, perturbed), divergence(b, perturbed, clean)), 0.5)
	}},
	{MSE, "mean squared difference of the logits", func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value {
		d := b.Sub(clean, perturbed)
		return b.ReduceMean(b.Mul(d, d), false, 1)
	}},
	{CE, "cross-entropy on the perturbed images", func(b op.B, _, perturbed, target *ir.Value) *ir.Value {
		return crossEntropy(b, perturbed, target)
	}},
}

// Regularizers lists the names in the order of the documentation.
func Regularizers() (names []Regularizer) {
	for _, r := range regularizers {
		names = append(names, r.name)
	}
	return names
}

// RegularizersUsage tells what every regularizer is, a line each.
func RegularizersUsage() string {
	var lines []string
	for _, r := range regularizers {
		lines = append(lines, fmt.Sprintf("%s: %s", r.name, r.about))
	}
	return strings.Join(lines, "\n")
}

// Validate checks that the regularizer is known.
func (r Regularizer) Validate() error {
	_, err := r.row()
	return err
}

func (r Regularizer) row() (regularizer, error) {
	for _, row := range regularizers {
		if row.name == r {
			return row, nil
		}
	}
	return regularizer{}, fmt.Errorf("regularizer %q is not known: expected one of %v", string(r), Regularizers())
}

// term is R averaged over the images, shape [1].
func (r Regularizer) term(b op.B, clean, perturbed, target *ir.Value) *ir.Value {
	row, err := r.row()
	if err != nil {
		b.Fail("%w", err)
		return clean
	}
	return mean(b, row.term(b, clean, perturbed, target))
}
