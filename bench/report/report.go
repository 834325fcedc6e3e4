// Package report holds the results of a benchmark and writes them as JSON, CSV, Markdown and HTML.
package report

import (
	"fmt"
	"math"

	"rnas/internal/dataset"
)

// Result is the outcome of one benchmark: all models on the same data, attacks and provider.
type Result struct {
	RNAS        string `json:"rnas"`        // version of this program
	ONNXRuntime string `json:"onnxruntime"` // version of the library
	Provider    string `json:"provider"`    // execution providers, separated by commas
	// Protocol is the published evaluation that was followed, if any.
	Protocol *Protocol `json:"protocol,omitempty"`
	Models   []Model   `json:"models"`
	// Comparisons are those of every pair of models, by pair and then by attack.
	Comparisons []Comparison `json:"comparisons,omitempty"`
	Transfer    *Transfer    `json:"transfer,omitempty"`
	// Agreements are those of every pair of providers, where there are several.
	Agreements []Agreement `json:"providers,omitempty"`
	Reproduce  *Reproduce  `json:"reproduce,omitempty"`
	Data       *Data       `json:"data,omitempty"`
}

// Data is what is to be known about how the images were read; nil in a result for nothing.
type Data struct {
	LeftOut int               `json:"left_out"`                 // images of the split that could not be read
	Files   []dataset.LeftOut `json:"left_out_files,omitempty"` // the first of them
	Notes   []string          `json:"notes,omitempty"`
}

// mostLeftOut is the number of files that a report names.
const mostLeftOut = 100

// NewData tells what was left out of data and the notes on it; nil for nothing.
func NewData(d *dataset.Dataset) *Data {
	if len(d.LeftOut) == 0 && len(d.Notes) == 0 {
		return nil
	}
	return &Data{LeftOut: len(d.LeftOut), Files: d.LeftOut[:min(len(d.LeftOut), mostLeftOut)], Notes: d.Notes}
}

// Lines are sentences about the data and how it fits the models.
func (r *Result) Lines() []string {
	var lines []string
	if d := r.Data; d != nil {
		if d.LeftOut > 0 {
			lines = append(lines, fmt.Sprintf("data: %d files were left out, the first %s: %s", d.LeftOut, d.Files[0].File, d.Files[0].Reason))
		}
		for _, note := range d.Notes {
			lines = append(lines, "data: "+note)
		}
	}
	for i := range r.Models {
		for _, note := range r.Models[i].Notes {
			lines = append(lines, r.Models[i].Label()+": "+note)
		}
	}
	return lines
}

// Reproduce is what makes the same result again, together with the versions.
type Reproduce struct {
	Command    []string `json:"command,omitempty"` // the command line in words; none for callers of package bench
	Data       string   `json:"data"`              // source and split
	DataSHA256 string   `json:"data_sha256"`       // digest of shape, class names, labels and images
	Seed       uint64   `json:"seed"`
}

// Model is the outcome of one model.
type Model struct {
	Path     string `json:"path"`
	Provider string `json:"provider,omitempty"` // "" where the benchmark ran on one provider
	SHA256   string `json:"sha256"`             // digest of the file, hexadecimal
	// Adapter says in words what stands between the images and the model, and which output is taken; none for a model that is taken as it is.
	Adapter []string `json:"adapter,omitempty"`
	Dataset string   `json:"dataset"`
	Points  int      `json:"points"` // number of images evaluated
	Clean   Clean    `json:"clean"`
	// Doubts are reasons to doubt every figure of the model, that without attack too.
	Doubts    []Flag     `json:"doubts,omitempty"`
	Notes     []string   `json:"notes,omitempty"` // what is doubtful about how the data and the model fit
	Attacks   []Attack   `json:"attacks"`
	WorstCase Robust     `json:"worst_case"`          // points that survive every attack
	Confusion *Confusion `json:"confusion,omitempty"` // nil for more than MaxConfusion classes
	Curves    []Curve    `json:"curves,omitempty"`
	Latency   *Latency   `json:"latency,omitempty"`
	Profiles  []Profile  `json:"profiles,omitempty"`

	Corruptions *Corruptions `json:"corruptions,omitempty"`
}

// Strongest is the index of the attack that leaves the fewest points, the first of equal ones; -1 without attacks.
func (m *Model) Strongest() int {
	best := -1
	for i, a := range m.Attacks {
		if best < 0 || a.Robust.Robust < m.Attacks[best].Robust.Robust {
			best = i
		}
	}
	return best
}

// Clean is the accuracy on the images as they are.
type Clean struct {
	Correct  int        `json:"correct"`
	Accuracy float64    `json:"accuracy"` // fraction
	CI95     [2]float64 `json:"ci95"`     // Wilson interval
}

// Robust counts the points that are classified rightly and survive.
type Robust struct {
	Robust         int        `json:"robust"`
	RobustAccuracy float64    `json:"robust_accuracy"` // fraction
	CI95           [2]float64 `json:"ci95"`            // Wilson interval
}

// Attack is the outcome of one attack on one model. Forwards and Backwards count the passes of single images that the attack itself makes.
// Padding and the final scoring are not included, so that the counts depend on the attacked points alone.
type Attack struct {
	Name string  `json:"name"`
	Norm string  `json:"norm"`
	Eps  float64 `json:"eps"` // pixels in [0,1]
	Robust
	Forwards  int64   `json:"forwards"`
	Backwards int64   `json:"backwards"`
	Seconds   float64 `json:"seconds"` // time of attack and scoring, without compilation
	Flags     []Flag  `json:"flags"`   // reasons to doubt the number
	Parts     []Part  `json:"parts,omitempty"`
}

// Part counts the points that are left after a part of an attack and the parts before it.
type Part struct {
	Name string `json:"name"`
	Robust
}

// Latency is the time of plain inference.
type Latency struct {
	Threads int           `json:"threads"`
	Runs    []LatencyRuns `json:"runs"` // one per batch size
}

// LatencyRuns is the distribution of the time of one batch.
type LatencyRuns struct {
	Batch           int     `json:"batch"`
	Samples         int     `json:"samples"`
	P50             float64 `json:"p50_ms"`
	P90             float64 `json:"p90_ms"`
	P99             float64 `json:"p99_ms"`
	ImagesPerSecond float64 `json:"images_per_second"` // over all samples
}

// NewClean is the accuracy where correct of points are classified rightly.
func NewClean(correct, points int) Clean {
	return Clean{correct, fraction(correct, points), Wilson(correct, points)}
}

// NewRobust is the robust accuracy where robust of points survive.
func NewRobust(robust, points int) Robust {
	return Robust{robust, fraction(robust, points), Wilson(robust, points)}
}

// fraction is k/n; 0 if n is 0.
func fraction(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}

// Wilson is the 95% score interval of k successes in n trials (Wilson 1927); [0,1] if n is 0.
func Wilson(k, n int) [2]float64 {
	if n == 0 {
		return [2]float64{0, 1}
	}
	const z = 1.959963984540054 // the 0.975 quantile of the normal distribution
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := float64(z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))) // rounded: not fused with what follows
	low, high := max(0, centre-half), min(1, centre+half)
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return [2]float64{low, high}
}
