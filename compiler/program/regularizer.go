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
	Curvature Regularizer = "curvature"
	Jacobian  Regularizer = "jacobian"
)

// regularizer is a row.
type regularizer struct {
	name  Regularizer
	about string // with its source, for clean logits f and perturbed logits f'
	// term is R of each image. It may be given more rows than images, one for each draw of noise.
	term func(s *searchStep) *ir.Value

	compares bool // clean with perturbed images
	sized    bool // by the input reg_size [1]
	probed   bool // by the input reg_probe [B,K]
	passes   int  // forward and backward passes beyond those over clean and perturbed images
}

// regularizers are in the order of the documentation.
var regularizers = []regularizer{
	{
		name: KL, about: "KL(f || f'), the term of TRADES (Zhang et al. 2019) with noise in place of the adversary", compares: true,
		term: between(func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value { return divergence(b, clean, perturbed) }),
	},
	{
		name: ReverseKL, about: "KL(f' || f)", compares: true,
		term: between(func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value { return divergence(b, perturbed, clean) }),
	},
	{
		name: SymKL, about: "the mean of both", compares: true,
		term: between(func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value {
			return b.Scale(b.Add(divergence(b, clean, perturbed), divergence(b, perturbed, clean)), 0.5)
		}),
	},
	{
		name: MSE, about: "mean squared difference of the logits", compares: true,
		term: between(func(b op.B, clean, perturbed, _ *ir.Value) *ir.Value {
			d := b.Sub(clean, perturbed)
			return b.ReduceMean(b.Mul(d, d), false, 1)
		}),
	},
	{
		name: CE, about: "cross-entropy on the perturbed images", compares: true,
		term: between(func(b op.B, _, perturbed, target *ir.Value) *ir.Value { return crossEntropy(b, perturbed, target) }),
	},
	{name: Curvature, about: "change of the input gradient along its sign (AdvRush: Mok et al. 2021, section 3.3)", sized: true, passes: 4, term: curvature},
	{name: Jacobian, about: "norm of the input Jacobian (DSRNA: Hosseini et al. 2021), by a random projection (Hoffman et al. 2019)", probed: true, passes: 2, term: jacobian},
}

// between is a term of the logits of clean and of perturbed images.
func between(f func(b op.B, clean, perturbed, target *ir.Value) *ir.Value) func(s *searchStep) *ir.Value {
	return func(s *searchStep) *ir.Value {
		src := s.level.Perturb
		perturbed := s.sourceLogits(src)
		return f(s.B, s.repeated(s.sourceLogits(Clean), src), perturbed, s.repeated(s.target, src))
	}
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

// Sized reports whether steps with the regularizer take the input reg_size, Probed whether they take reg_probe, Compares whether
// they need perturbed images.
func (r Regularizer) Sized() bool    { row, _ := r.row(); return row.sized }
func (r Regularizer) Probed() bool   { row, _ := r.row(); return row.probed }
func (r Regularizer) Compares() bool { row, _ := r.row(); return row.compares }
