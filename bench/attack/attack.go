// Package attack holds the attacks of the benchmark. An attack is a row with a name and stages. A stage compiles to graphs for a
// classifier and a batch size, turns images and labels into adversarial images, and counts the passes through the classifier.
package attack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/program"
	"rnas/runtime/ort"
)

// Settings are the parameters that all attacks share. Their JSON is part of the keys of recorded results.
type Settings struct {
	Norm     string  // one of Norms
	Epsilon  float64 // radius of the ball: pixels in [0,1] for linf, sums over the image for l2 and l1
	StepSize float64 // step size of attacks of several steps, in units of Epsilon's norm; 0 for that of each attack
	Seed     uint64  // seed of random starts and draws
}

// Validate checks the settings. Errors: an unknown norm, an eps outside the range of the norm, a negative step size, NaN.
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

// Setup is what a stage is compiled for.
type Setup struct {
	Classifier func(batch int) (program.Classifier, error) // the classifier for a batch size
	Batch      int                                         // largest number of points at a time
	Fixed      bool                                        // whether Classifier is for Batch images only
	Points     int                                         // number of points to be attacked, 0 when it is not known
	Runtime    ort.Options                                 // Provider is not empty
	Settings
}

// Stage is a part of an attack that is run on the points which survived the stages before it.
type Stage interface {
	// Key names the stage and all parameters beside Settings that its results depend on.
	Key() string
	// Gradients tells whether the stage takes gradients of the classifier.
	Gradients() bool
	// Supports is nil if the stage can run in the norm of the settings on a classifier with that number of classes. Otherwise the
	// error names the norms or the number of classes that it needs.
	Supports(s Settings, classes int64) error
	// Compile makes the stage ready to run.
	Compile(s Setup) (Runner, error)
}

// Runner is a compiled stage. It is used from one goroutine.
type Runner interface {
	// Run attacks all points that w hands out. The result of a point depends on the point and its index only. Errors: that of
	// ctx, and those of w.
	Run(ctx context.Context, w Work) error
	Close() error
}

// Work hands out points and takes back what was found for them.
type Work interface {
	// Next gives up to n points that were not given out before, and none when all were.
	Next(n int) []Point
	// Logits is plain inference of the images of at most Setup.Batch points: K values for each point.
	Logits(points []Point) ([][]float32, error)
	// Judge scores at most Setup.Batch adversarial images by plain inference and keeps the results that are final. broken tells
	// of each image whether it is admissible and misclassified.
	Judge(attempts []Attempt) (broken []bool, err error)
}

// Point is an image to be attacked.
type Point struct {
	Index int       // index in the data set, the address of the point's random streams
	Image []float32 // [C,H,W] in [0,1]
	Label int64
	Tries int // number of tries that the point survived before
}

// Attempt is the adversarial image that a try, or a part of a try, made of a point.
type Attempt struct {
	Point
	Adversarial []float32 // [C,H,W], valid until Judge returns
	Counts                // passes since the point's last Attempt with Over
	Over        bool      // whether the try is over; Tries includes it then
	Last        bool      // whether there is no other try
}

// Counts are passes of single images through the classifier. Padding of batches is not counted. A gradient counts as one pass forward
// and one backward.
type Counts struct {
	Forwards  int64 `json:"forwards"`
	Backwards int64 `json:"backwards"`
}
