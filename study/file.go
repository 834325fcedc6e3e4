// Package study runs experiments: arms times seeds times stages, described in one file. Every job is described by data and
// has a folder of its own, so a study that was stopped at any moment is taken up where it was and ends with the same
// tables.
package study

import "slices"

// Names of the stages.
const (
	Search   = "search" // finds a genotype
	Train    = "train"  // trains it
	Bench    = "bench"  // measures the trained network
	LookedUp = "lookup" // looks the genotype up in a table of measured ones
)

// File is the description of a study.
type File struct {
	Name  string `yaml:"name" json:"name"`
	About string `yaml:"about" json:"-"`
	Seeds Seeds  `yaml:"seeds" json:"-"`
	// Defaults are settings of the stages of all arms; ParseFile has put them into the arms.
	Defaults   Stages     `yaml:"defaults" json:"-"`
	Arms       []Arm      `yaml:"arms" json:"-"`
	Lookup     *Lookup    `yaml:"lookup" json:"lookup,omitempty"`
	Statistics Statistics `yaml:"statistics" json:"statistics"`
}

// Stages are the settings of the stages that have flags. A stage that is nil is left out.
type Stages struct {
	Search Settings `yaml:"search" json:"search,omitzero"`
	Train  Settings `yaml:"train" json:"train,omitzero"`
	Bench  Settings `yaml:"bench" json:"bench,omitzero"`
}

// Of is the settings of a stage.
func (s *Stages) Of(stage string) *Settings {
	return map[string]*Settings{Search: &s.Search, Train: &s.Train, Bench: &s.Bench}[stage]
}

// withFlags lists the stages that have settings, in the order in which they run.
var withFlags = []string{Search, Train, Bench}

// Settings are the values of flags by their names, without dashes.
type Settings map[string]Setting

// Setting is the text of a value and the line of the file that it stands on, 0 for none.
type Setting struct {
	Text string
	Line int
}

// Arm is one of the things that are compared.
type Arm struct {
	Name  string `yaml:"name" json:"-"`
	About string `yaml:"about" json:"-"`
	Match *Match `yaml:"match" json:"match,omitempty"`
	// Stages are the settings of the arm, with the defaults for what it does not set.
	Stages `yaml:",inline"`
}

// Match asks for a genotype with about as many parameters, in the network of the stage train, as the one that an earlier
// arm has found from the same seed: the search is repeated with other seeds until it has.
type Match struct {
	Arm    string  `yaml:"arm" json:"arm"`
	Within float64 `yaml:"within" json:"within"` // part of the other's parameters, such as 0.1
}

// Lookup is what the stage of that name takes from a table.
type Lookup struct {
	Columns []string `yaml:"columns" json:"columns"`
	// Class is the column that numbers genotypes which compute the same; "" where every row is a class of its own.
	Class string `yaml:"class" json:"class,omitempty"`
	// Weights is the column of the cost at which cells are compared, or conv_weights, see ConvWeights; "" for none.
	Weights string `yaml:"weights" json:"weights,omitempty"`
	// Nearest is the least number of classes to compare with; 0 for those of equal weights alone.
	Nearest int `yaml:"nearest" json:"nearest,omitempty"`
}

// Statistics is how arms are compared. The unit is the cell: what an arm has from one seed.
type Statistics struct {
	Measures  []string `yaml:"measures" json:"measures"`             // names of values that the stages give
	Reference string   `yaml:"reference" json:"reference,omitempty"` // arm that the others are compared with
	Interval  string   `yaml:"interval" json:"interval"`             // of the mean, at 95%: t, which is the default, or bootstrap
	Tests     []string `yaml:"tests" json:"tests,omitempty"`         // against the reference, see Tests
	// Hypotheses are tested besides, as a family of their own.
	Hypotheses []Hypothesis `yaml:"hypotheses" json:"hypotheses,omitempty"`
	Goals      []Goal       `yaml:"goals" json:"goals,omitempty"`
}

// Hypothesis says that an arm has higher values of a measure than another one from the same seeds.
type Hypothesis struct {
	Name    string `yaml:"name" json:"name"`
	Measure string `yaml:"measure" json:"measure"`
	Arm     string `yaml:"arm" json:"arm"`
	Above   string `yaml:"above" json:"above"`
}

// Goal is a figure, fixed before the study is run, that a mean over cells should reach.
type Goal struct {
	Measure string  `yaml:"measure" json:"measure"`
	Arm     string  `yaml:"arm" json:"arm,omitempty"` // "" for the best arm, the reference aside
	AtLeast float64 `yaml:"at_least" json:"at_least"`
}

// Arm is the arm of a name; nil for none.
func (f *File) Arm(name string) *Arm {
	if i := slices.IndexFunc(f.Arms, func(a Arm) bool { return a.Name == name }); i >= 0 {
		return &f.Arms[i]
	}
	return nil
}

// stages lists the names of the stages of an arm in the order in which they run.
func (f *File) stages(a *Arm) []string {
	var list []string
	for _, stage := range withFlags {
		if *a.Of(stage) != nil {
			list = append(list, stage)
		}
	}
	if f.Lookup != nil {
		list = append(list, LookedUp)
	}
	return list
}
