// Package attack holds the attacks of the benchmark, each a row and a small file: a name, and stages that compile to graphs
// for a classifier and a batch and turn images and labels into adversarial images, counting their passes.
package attack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/program"
	"rnas/runtime/ort"
)

// Settings are the parameters that all attacks share.
type Settings struct {
	Norm     string  // one of Norms
	Epsilon  float64 // radius of the ball: pixels in [0,1] for linf, sums over the image for l2 and l1
	StepSize float64 // of iterated attacks, in units of Epsilon's norm; 0 is each attack's own
	Seed     uint64  // of random starts and draws
}

// Validate checks the settings.
func (s Settings) Validate() error {
	if !slices.Contains(Norms(), s.Norm) {
		return fmt.Errorf("norm %q: expected %s", s.Norm, strings.Join(Norms(), ", "))
	}
	if largest := norms[s.Norm].largest; !(s.Epsilon >= 0 && s.Epsilon <= largest) {
		return fmt.Errorf("eps %v: expected 0 to %v in norm %s", s.Epsilon, largest, s.Norm)
	}
	if !(s.StepSize >= 0) {
		return fmt.Errorf("step size %v: expected at least 0", s.StepSize)
	}
	return nil
}

// Target is what an attack is compiled for.
type Target struct {
	Classifier func(batch int) (program.Classifier, error) // for so many images
	Batch      int                                         // points at a time
	Fixed      bool                                        // there is a classifier for Batch images only
	Points     int                                         // how many there are, 0 when it is not known
	Runtime    ort.Options                                 // Provider is not empty
	Settings
}

// Stage is one step of an attack: a method that is given the points which survived the stages before it.
type Stage interface {
	// Key names the stage and all parameters that its results depend on, beside those of Settings.
	Key() string
	// Gradients tells whether the stage takes gradients of the classifier.
	Gradients() bool
	// Supports is nil, or says why the stage cannot run on a classifier of so many classes in the norm of the settings.
	Supports(s Settings, classes int64) error
	// Compile makes the stage ready to run on the target.
	Compile(t Target) (Runner, error)
}

// Runner is a compiled stage. It is used from one goroutine.
type Runner interface {
	// Run attacks all points that w hands out. What it does to a point depends on the point and its index only. It stops with
	// the error of ctx, and those of w.
	Run(ctx context.Context, w Work) error
	Close() error
}

// Work hands out points and takes back what was found for them.
type Work interface {
	// Next gives up to n points that were not given out before; none when all were.
	Next(n int) []Point
	// Logits is plain inference of the images of at most Target.Batch points, K values each.
	Logits(points []Point) ([][]float32, error)
	// Judge scores at most Target.Batch adversarial images by plain inference and keeps what is final. It tells which are
	// admissible and misclassified.
	Judge(attempts []Attempt) (broken []bool, err error)
}

// Point is an image to be attacked.
type Point struct {
	Index int       // in the data set, the address of its random streams
	Image []float32 // [C,H,W] in [0,1]
	Label int64
	Tries int // that the point survived before
}

// Attempt is what a try, or a part of one, made of a point.
type Attempt struct {
	Point
	Adversarial []float32 // [C,H,W], valid until Judge returns
	Counts                // since the point's last Attempt with Over
	Over        bool      // the try is over; Tries includes it
	Last        bool      // there is no other try
}

// Counts are passes of single images through the classifier, padding not included. A pass forward that a gradient is taken of
// counts as one forward and one backward.
type Counts struct {
	Forwards  int64 `json:"forwards"`
	Backwards int64 `json:"backwards"`
}

// Attack is a named sequence of parts; a point is robust when it survives the stages of all of them.
type Attack struct {
	Name  string
	Parts []Part
}

// Part is a named share of an attack, about which the report tells how many points are left after it.
type Part struct {
	Name   string
	Stages []Stage
}

// Stages lists the stages of all parts.
func (a Attack) Stages() []Stage {
	var all []Stage
	for _, p := range a.Parts {
		all = append(all, p.Stages...)
	}
	return all
}

// Gradients tells whether a stage of the part takes gradients of the classifier.
func (p Part) Gradients() bool { return slices.ContainsFunc(p.Stages, Stage.Gradients) }

// method is the only stage of an attack, if that is a method.
func (a Attack) method() (m method, ok bool) {
	if stages := a.Stages(); len(stages) == 1 {
		m, ok = stages[0].(method)
	}
	return m, ok
}

// FewerSteps reports whether a try of b begins with all the steps of a try of a, so that b is at least as strong. That is so where both
// are one method which differs in the number of steps, and a step depends on the image so far alone.
func (a Attack) FewerSteps(b Attack) bool {
	m, ok := a.method()
	n, both := b.method()
	return ok && both && m.memoryless && m.resize != nil && m.steps < n.steps && m.resize(n.steps).key == n.key
}

// Names lists the names of attacks.
func Names(attacks []Attack) []string {
	var all []string
	for _, a := range attacks {
		all = append(all, a.Name)
	}
	return all
}

// single is an attack of one part.
func single(name string, stages ...Stage) Attack { return Attack{name, []Part{{name, stages}}} }

// Clean is the name in a list of attacks that stands for no attack.
const Clean = "clean"

// family makes attacks from names of one form.
type family struct {
	form  string
	about string // one line, with source
	parse func(name string) (Attack, bool)
}

// fixed is the family of one name.
func fixed(name, about string, parts ...Part) family {
	return family{name, about, func(n string) (Attack, bool) { return Attack{name, parts}, n == name }}
}

// families lists the attacks in the order of the documentation.
var families = slices.Concat(pgdFamilies, apgdFamilies, fabFamilies, squareFamilies, deepfoolFamilies, carliniFamilies, autoAttackFamilies)

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
			return nil, fmt.Errorf("attacks %q: expected %s, found %q", list, strings.Join(names(), ", "), name)
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

// Form is what Parse knows: names of one form, in which K and R stand for numbers.
type Form struct{ Name, About string }

// Forms lists them in the order of the documentation.
func Forms() []Form {
	forms := []Form{{Clean, "accuracy without attack, which is always measured"}}
	for _, f := range families {
		forms = append(forms, Form{f.form, f.about})
	}
	return forms
}

func names() []string {
	var all []string
	for _, f := range Forms() {
		all = append(all, f.Name)
	}
	return all
}
