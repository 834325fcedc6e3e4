// Package attack holds the attacks of the benchmark. An attack names itself, compiles its programs for a classifier and
// a batch, and turns images, labels and random streams into adversarial images, counting its passes.
package attack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/program"
	"rnas/runtime"
)

// Settings are the parameters that all attacks share.
type Settings struct {
	Norm     string  // "linf"
	Epsilon  float64 // radius of the ball, pixels in [0,1]
	StepSize float64 // of iterated attacks, pixels; 0 is each attack's own
	Seed     uint64  // of random starts and draws
}

// norms lists the norms that attacks exist for.
var norms = []string{"linf"}

// Validate checks the settings.
func (s Settings) Validate() error {
	if !slices.Contains(norms, s.Norm) {
		return fmt.Errorf("norm %q: expected %s", s.Norm, strings.Join(norms, ", "))
	}
	if !(s.Epsilon >= 0 && s.Epsilon <= 1) {
		return fmt.Errorf("eps %v: expected 0 to 1", s.Epsilon)
	}
	if !(s.StepSize >= 0 && s.StepSize <= 1) {
		return fmt.Errorf("step size %v: expected 0 to 1", s.StepSize)
	}
	return nil
}

// Target is what an attack is compiled for.
type Target struct {
	Classifier program.Classifier
	Batch      int
	Runtime    runtime.Options // Provider is not empty
	Settings
}

// Stage is one step of an attack: a method that is given the points which survived the stages before it.
type Stage interface {
	// Key names the stage and all parameters that its results depend on, beside those of Settings.
	Key() string
	// Compile makes the stage ready to run on the target.
	Compile(t Target) (Runner, error)
}

// Single is a Stage that is one graph with inputs images, labels and start and output adversarial.
type Single interface {
	Stage
	Program(c program.Classifier, batch int, s Settings) (*program.Program, error)
}

// Runner is a compiled stage. It is used from one goroutine.
type Runner interface {
	// Run attacks one batch. What it does to a point depends on the point and its index only.
	Run(ctx context.Context, b Batch) (Counts, error)
	Close() error
}

// Batch is the work of one Run. All slices but Points have the length of a whole batch; rows from len(Points) on are
// padding, whose results are dropped.
type Batch struct {
	Points      []int     // index of each point in the data set, the address of its random streams
	Images      []float32 // [B,C,H,W] in [0,1]
	Labels      []int64   // [B]
	Adversarial []float32 // [B,C,H,W], the result
}

// Counts are passes of single images through the classifier, padding not included.
type Counts struct {
	Forwards  int64 `json:"forwards"`
	Backwards int64 `json:"backwards"`
}

// Attack is a named sequence of stages; a point is robust when it survives all of them.
type Attack struct {
	Name   string
	Stages []Stage
}

// Clean is the name in a list of attacks that stands for no attack.
const Clean = "clean"

// family makes attacks from names of one form.
type family struct {
	form  string
	parse func(name string) (Attack, bool)
}

var families = []family{fgsm, fgsmRS, pgd}

// Parse reads a list such as "clean,fgsm,pgd20". "clean", which the benchmark always measures, gives no attack. Errors:
// an empty list, an unknown name, a name given twice.
func Parse(list string) ([]Attack, error) {
	var attacks []Attack
	seen := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if seen[name] {
			return nil, fmt.Errorf("attacks %q: %s is there twice", list, name)
		}
		seen[name] = true
		if name == Clean {
			continue
		}
		i, a := find(name)
		if i < 0 {
			return nil, fmt.Errorf("attacks %q: expected %s, found %q", list, strings.Join(Forms(), ", "), name)
		}
		attacks = append(attacks, a)
	}
	return attacks, nil
}

func find(name string) (int, Attack) {
	for i, f := range families {
		if a, ok := f.parse(name); ok {
			return i, a
		}
	}
	return -1, Attack{}
}

// Forms lists what Parse knows; K stands for a number.
func Forms() []string {
	forms := []string{Clean}
	for _, f := range families {
		forms = append(forms, f.form)
	}
	return forms
}
