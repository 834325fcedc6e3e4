package program

import (
	"fmt"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
)

// Recipe is the name of a way to train: which images a training step learns from, and by which loss.
type Recipe string

// Names of recipes that code asks for.
const (
	Standard Recipe = "standard"
	Fast     Recipe = "fast"
	PGD      Recipe = "pgd"
	TRADES   Recipe = "trades"
)

// epsilon is the radius of the attacks of recipes by default, in pixels of [0,1].
const epsilon = 8. / 255

// RecipeDefaults are the settings of a recipe that its source gives. Sizes are in pixels of [0,1].
type RecipeDefaults struct {
	Attack Attack // the zero value for a recipe that attacks nothing
	// StepOverEpsilon, if positive, is the step of the attack over its radius.
	StepOverEpsilon float64
	Start           Noise   // where the attack starts
	Beta            float64 // weight of the divergence from clean logits
}

// recipe is a row: what raises the loss of the attack, and what the step lowers.
type recipe struct {
	name     Recipe
	about    string // with its source
	defaults RecipeDefaults
	// attack is the loss of each image [B] that the attack raises at images x [B,D,H,W]; nil for a recipe that attacks nothing. It is
	// called once, before the loop of the attack, and returns what is built inside it.
	attack func(s *trainStep) func(b op.B, x *ir.Value) *ir.Value
	loss   func(s *trainStep)
}

// uniform is the usual random start of an attack.
var uniform = Noise{Kind: Uniform, Size: epsilon}

// recipes are in the order of the documentation.
var recipes = []recipe{
	{name: Standard, about: "clean images", loss: lossOfLearnt},
	{
		name: Fast, about: "one signed-gradient step from a random start (Wong et al. 2020)",
		defaults: RecipeDefaults{Attack: Attack{Epsilon: epsilon, StepSize: 1.25 * epsilon, Steps: 1}, StepOverEpsilon: 1.25, Start: uniform},
		attack:   raiseCrossEntropy, loss: lossOfLearnt,
	},
	{
		name: PGD, about: "projected gradient descent (Madry et al. 2018)",
		defaults: RecipeDefaults{Attack: Attack{Epsilon: epsilon, StepSize: 2. / 255, Steps: 7}, Start: uniform},
		attack:   raiseCrossEntropy, loss: lossOfLearnt,
	},
	{
		name: TRADES, about: "clean loss and divergence of adversarial from clean logits (Zhang et al. 2019)",
		defaults: RecipeDefaults{Attack: Attack{Epsilon: epsilon, StepSize: 2. / 255, Steps: 10}, Start: Noise{Kind: Gaussian, Size: 0.001}, Beta: 6},
		attack:   raiseDivergence, loss: lossOfTRADES,
	},
}

// Recipes lists the names in the order of the documentation.
func Recipes() (names []Recipe) {
	for _, r := range recipes {
		names = append(names, r.name)
	}
	return names
}

// RecipesUsage tells what every recipe is, a line each.
func RecipesUsage() string {
	var lines []string
	for _, r := range recipes {
		lines = append(lines, fmt.Sprintf("%s: %s", r.name, r.about))
	}
	return strings.Join(lines, "\n")
}

// Validate checks that the recipe is known.
func (r Recipe) Validate() error {
	_, err := r.row()
	return err
}

// Defaults are the settings that the recipe's source gives; the zero value for an unknown recipe.
func (r Recipe) Defaults() RecipeDefaults {
	row, _ := r.row()
	return row.defaults
}

// About tells what the recipe learns from, with its source; "" for an unknown recipe.
func (r Recipe) About() string {
	row, _ := r.row()
	return row.about
}

// Attacks reports whether the recipe learns from attacked images.
func (r Recipe) Attacks() bool {
	row, _ := r.row()
	return row.attack != nil
}

func (r Recipe) row() (recipe, error) {
	for _, row := range recipes {
		if row.name == r {
			return row, nil
		}
	}
	return recipe{}, fmt.Errorf("recipe: expected one of %v, found %q", Recipes(), string(r))
}

// trainStep is a training step under construction: what a recipe reads, and what it leaves.
type trainStep struct {
	Train
	*network
	images, labels *ir.Value // [B,D,H,W] and int64 [B]
	target, soft   *ir.Value // one-hot [B,K], without and with label smoothing
	attackMode     mode
	main           mode
	adversarial    *ir.Value // the attacked images, nil without an attack

	logits, loss, stats *ir.Value // logits [B,K] of the images learnt from, loss [1], the running statistics afterwards
}

// raiseCrossEntropy is the loss of Madry's attack.
func raiseCrossEntropy(s *trainStep) func(b op.B, x *ir.Value) *ir.Value {
	return func(b op.B, x *ir.Value) *ir.Value {
		logits, _, _ := s.forward(b, x, s.attackMode)
		return crossEntropy(b, logits, s.target)
	}
}

// raiseDivergence is the loss of TRADES' attack.
func raiseDivergence(s *trainStep) func(b op.B, x *ir.Value) *ir.Value {
	clean, _, _ := s.forward(s.B, s.images, s.attackMode)
	return func(b op.B, x *ir.Value) *ir.Value {
		logits, _, _ := s.forward(b, x, s.attackMode)
		return divergence(b, clean, logits)
	}
}

// learn adds the cross-entropy of some images, with that of the auxiliary head, and takes their statistics in.
func (s *trainStep) learn(images *ir.Value) {
	b := s.B
	b.In("main", func() {
		var aux *ir.Value
		var batch []lower.Stat
		s.logits, aux, batch = s.forward(b, images, s.main)
		s.loss = mean(b, crossEntropy(b, s.logits, s.soft))
		s.stats = s.updateStats(s.stats, batch)
		if aux != nil && s.AuxWeight != 0 {
			s.loss = b.Add(s.loss, b.Scale(mean(b, crossEntropy(b, aux, s.soft)), s.AuxWeight))
		}
	})
}

// lossOfLearnt is the cross-entropy of the attacked images, or of the clean ones without an attack.
func lossOfLearnt(s *trainStep) {
	if s.adversarial != nil {
		s.learn(s.adversarial)
		return
	}
	s.learn(s.images)
}

// lossOfTRADES is CE(f(x)) + Beta*KL(f(x) || f(x')) (Zhang et al. 2019, equation 5).
func lossOfTRADES(s *trainStep) {
	b := s.B
	s.learn(s.images)
	b.In("robust", func() {
		attacked, _, batch := s.forward(b, s.adversarial, s.main)
		s.loss = b.Add(s.loss, b.Scale(mean(b, divergence(b, s.logits, attacked)), s.Beta))
		s.stats = s.updateStats(s.stats, batch)
		s.logits = attacked
	})
}
