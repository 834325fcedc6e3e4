package study

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Stage is a kind of work, such as a search. Its work is that of a command with the settings of an arm as flags.
type Stage struct {
	Name string
	// Check reports the first setting of an arm that cannot be; it is asked for all arms before anything is run. Outputs
	// are the names of the values that the stage gives.
	Check func(a *Arm) (outputs []string, err error)
	// Open prepares a job. The jobs before it in its cell are finished.
	Open func(j Job) (*Work, error)
}

// Job is a stage of an arm with a seed.
type Job struct {
	Arm   *Arm
	Seed  uint64
	Stage string
	Dir   string // of its files
	// Before are the folders of the finished jobs of the same arm and seed, by stage.
	Before map[string]string
	// Matched is the folder of the search that Arm.Match names; "" for none.
	Matched string
}

// Name is the folder of a job within those of all jobs, and what it is called: ARM/SEED/STAGE.
func (j Job) Name() string { return fmt.Sprintf("%s/%d/%s", j.Arm.Name, j.Seed, j.Stage) }

// Work is a job that can be done.
type Work struct {
	// Config is all that the result depends on, besides the data of the study: it goes to job.json, and a job that has begun
	// is not taken up with another one.
	Config any
	// Results are the names of the files in the job's folder that are the same whenever and wherever the job is done.
	Results []string
	// Do does the job or what is left of it.
	Do func(ctx context.Context, progress io.Writer) (Outcome, error)
}

// Outcome is what a job found.
type Outcome struct {
	Genotype string             `json:"genotype,omitempty"` // in its text form
	Values   map[string]float64 `json:"values,omitempty"`
	// Failed is why there is no result and will be none, such as a loss that is no longer finite; "" for a job that succeeded.
	Failed string `json:"failed,omitempty"`
	// Files are the SHA-256 digests of the results, by name.
	Files map[string]string `json:"files,omitempty"`
}

// SettingError is the error of a setting that stands on a line of the study's file, 0 where it does not.
type SettingError struct {
	Line int
	Err  error
}

func (e *SettingError) Error() string { return e.Err.Error() }
func (e *SettingError) Unwrap() error { return e.Err }

// check asks the stages about all arms, and whether they give what is to be measured.
func (f *File) check(stages map[string]Stage) error {
	outputs := map[string]bool{}
	for i := range f.Arms {
		a := &f.Arms[i]
		for _, name := range f.stages(a) {
			given, err := stages[name].Check(a)
			if err != nil {
				return armError(a, name, err)
			}
			for _, o := range given {
				outputs[o] = true
			}
		}
	}
	var names []string
	for o := range outputs {
		names = append(names, o)
	}
	slices.Sort(names)
	for _, m := range f.Statistics.Measures {
		if !outputs[m] {
			return fmt.Errorf(" statistics: measures: expected some of %s, found %q", strings.Join(names, ", "), m)
		}
	}
	return nil
}

// armError places an error of a setting as ParseFile does.
func armError(a *Arm, stage string, err error) error {
	place := " "
	if s, ok := err.(*SettingError); ok && s.Line > 0 {
		place = fmt.Sprintf("%d: ", s.Line)
	}
	return fmt.Errorf("%sarm %s: %s: %w", place, a.Name, stage, err)
}
