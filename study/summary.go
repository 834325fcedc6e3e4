package study

import (
	"math"
	"slices"
	"strconv"

	"rnas/internal/stats"
)

// Summary is what a study found: its figures depend on the outcomes of its jobs alone.
type Summary struct {
	Name   string            `json:"name"`
	RNAS   []string          `json:"rnas"` // versions of the program that did the jobs
	Inputs map[string]string `json:"inputs"`
	Seeds  Seeds             `json:"seeds"`
	Jobs   int               `json:"jobs"`
	Failed []Failure         `json:"failed,omitempty"`
	// Interval and Reference are those of the study's file.
	Interval   string    `json:"interval"`
	Reference  string    `json:"reference,omitempty"`
	Measures   []Measure `json:"measures"`
	Hypotheses []Tested  `json:"hypotheses,omitempty"`
	Goals      []Reached `json:"goals,omitempty"`
	Cells      []Cell    `json:"cells"`
}

// Failure is a job that has no result.
type Failure struct {
	Job string `json:"job"`
	Why string `json:"why"`
}

// Measure is one value over all arms, in the order of the file.
type Measure struct {
	Name string       `json:"measure"`
	Arms []ArmMeasure `json:"arms"`
}

// ArmMeasure is one value over the cells of an arm. Figures that need more cells than there are, are nil.
type ArmMeasure struct {
	Arm    string      `json:"arm"`
	N      int         `json:"cells"`
	Mean   *float64    `json:"mean,omitempty"`
	SD     *float64    `json:"sd,omitempty"`
	CI95   *[2]float64 `json:"ci95,omitempty"` // of the mean
	Median *float64    `json:"median,omitempty"`
	Min    *float64    `json:"min,omitempty"`
	Max    *float64    `json:"max,omitempty"`
	Points []Point     `json:"points"`
	Versus *Versus     `json:"versus_reference,omitempty"`
}

// Point is the value of a cell.
type Point struct {
	Seed  uint64  `json:"seed"`
	Value float64 `json:"value"`
}

// Versus compares an arm with the reference, over the seeds that both have a value of.
type Versus struct {
	N          int         `json:"pairs"`
	Difference *float64    `json:"mean_difference,omitempty"` // the arm's less the reference's
	CI95       *[2]float64 `json:"ci95,omitempty"`            // of the mean difference
	// Wilcoxon is the exact signed-rank test; Holm is its p-value adjusted over all arms of the measure.
	Wilcoxon *stats.SignedRank `json:"wilcoxon,omitempty"`
	Holm     *float64          `json:"p_holm,omitempty"`
}

// Tested is the comparison that a hypothesis asks for, of its arm with the one it is to be above. The p-values of all hypotheses are
// adjusted together.
type Tested struct {
	Hypothesis
	*Versus `json:"comparison"`
}

// Reached tells whether a goal is met.
type Reached struct {
	Goal
	By   string   `json:"by"` // the arm whose mean counts
	Mean *float64 `json:"mean,omitempty"`
	Met  bool     `json:"met"`
}

// Cell is what an arm has from a seed.
type Cell struct {
	Arm      string             `json:"arm"`
	Seed     uint64             `json:"seed"`
	Genotype string             `json:"genotype,omitempty"`
	Values   map[string]float64 `json:"values,omitempty"`
}

// summarise compares the arms.
func (r *results) summarise() *Summary {
	f := r.file
	st := f.Statistics
	s := &Summary{
		Name: f.Name, RNAS: r.versions, Inputs: r.inputs, Seeds: f.Seeds, Jobs: len(r.rows), Failed: r.failed,
		Interval: st.Interval, Reference: st.Reference, Cells: r.cells, Measures: []Measure{},
	}
	for _, name := range st.Measures {
		s.Measures = append(s.Measures, f.measure(name, r.cells))
	}
	s.Hypotheses = f.test(s.Measures)
	for _, g := range st.Goals {
		s.Goals = append(s.Goals, g.judge(s))
	}
	return s
}

// measure is a value over all arms.
func (f *File) measure(name string, cells []Cell) Measure {
	m := Measure{Name: name}
	for _, a := range f.Arms {
		arm := ArmMeasure{Arm: a.Name, Points: []Point{}}
		for _, c := range cells {
			if v, ok := c.Values[name]; ok && c.Arm == a.Name {
				arm.Points = append(arm.Points, Point{c.Seed, v})
			}
		}
		arm.describe(f.interval)
		m.Arms = append(m.Arms, arm)
	}
	if f.Statistics.Reference != "" {
		f.compare(&m)
	}
	return m
}

// interval is the 95% interval of a mean, as the file asks.
func (f *File) interval(values []float64) [2]float64 {
	if f.Statistics.Interval == Bootstrap {
		return stats.BootstrapMean(values)
	}
	return stats.TInterval(values)
}

func (a *ArmMeasure) describe(interval func([]float64) [2]float64) {
	values := make([]float64, len(a.Points))
	for i, p := range a.Points {
		values[i] = p.Value
	}
	a.N = len(values)
	if a.N == 0 {
		return
	}
	a.Mean, a.SD, a.CI95 = number(stats.Mean(values)), number(stats.SD(values)), pair(interval(values))
	slices.Sort(values)
	a.Median = number((values[(a.N-1)/2] + values[a.N/2]) / 2)
	a.Min, a.Max = number(values[0]), number(values[a.N-1])
}

// compare compares every arm with the reference.
func (f *File) compare(m *Measure) {
	reference := m.arm(f.Statistics.Reference)
	var tested []*Versus
	for i := range m.Arms {
		if a := &m.Arms[i]; a.Arm != reference.Arm {
			a.Versus = a.versus(reference, f.interval)
			tested = append(tested, a.Versus)
		}
	}
	if slices.Contains(f.Statistics.Tests, Wilcoxon) {
		adjust(tested)
		return
	}
	for _, v := range tested {
		v.Wilcoxon = nil
	}
}

// test compares the arms of the hypotheses.
func (f *File) test(measures []Measure) []Tested {
	var list []Tested
	var tested []*Versus
	for _, h := range f.Statistics.Hypotheses {
		m := measures[slices.Index(f.Statistics.Measures, h.Measure)]
		v := m.arm(h.Arm).versus(m.arm(h.Above), f.interval)
		list, tested = append(list, Tested{h, v}), append(tested, v)
	}
	adjust(tested)
	return list
}

// arm is the row of an arm, which there is.
func (m Measure) arm(name string) *ArmMeasure {
	return &m.Arms[slices.IndexFunc(m.Arms, func(a ArmMeasure) bool { return a.Arm == name })]
}

// versus compares the cells of two arms from the same seeds.
func (a *ArmMeasure) versus(other *ArmMeasure, interval func([]float64) [2]float64) *Versus {
	of := map[uint64]float64{}
	for _, p := range other.Points {
		of[p.Seed] = p.Value
	}
	var differences []float64
	for _, p := range a.Points {
		if v, ok := of[p.Seed]; ok {
			differences = append(differences, p.Value-v)
		}
	}
	v := &Versus{N: len(differences)}
	if len(differences) > 0 {
		w := stats.Wilcoxon(differences)
		v.Difference, v.CI95, v.Wilcoxon = number(stats.Mean(differences)), pair(interval(differences)), &w
	}
	return v
}

// adjust adjusts the p-values of a family of comparisons by Holm's method; those without a pair are not tested.
func adjust(family []*Versus) {
	family = slices.DeleteFunc(slices.Clone(family), func(v *Versus) bool { return v.Wilcoxon == nil })
	p := make([]float64, len(family))
	for i, v := range family {
		p[i] = v.Wilcoxon.P
	}
	for i, adjusted := range stats.Holm(p) {
		family[i].Holm = &adjusted
	}
}

// judge compares a goal with the mean of its arm.
func (g Goal) judge(s *Summary) Reached {
	r := Reached{Goal: g}
	for _, m := range s.Measures {
		if m.Name != g.Measure {
			continue
		}
		for _, a := range m.Arms {
			if a.Mean == nil || (g.Arm != "" && a.Arm != g.Arm) || (g.Arm == "" && a.Arm == s.Reference) {
				continue
			}
			if r.Mean == nil || *a.Mean > *r.Mean {
				r.By, r.Mean, r.Met = a.Arm, a.Mean, *a.Mean >= g.AtLeast
			}
		}
	}
	return r
}

// number is v to 12 digits: the last bits of floating-point functions differ between processors and do not reach the files. It
// is nil for what is not a finite number.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 11, 64), 64)
	if err != nil {
		panic(err) // it is the text of a finite number
	}
	return &v
}

func pair(v [2]float64) *[2]float64 {
	low, high := number(v[0]), number(v[1])
	if low == nil || high == nil {
		return nil
	}
	return &[2]float64{*low, *high}
}
