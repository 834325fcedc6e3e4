package study

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"math"
	"strconv"

	"rnas/bench/report"
)

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var ownStyle string

var pageTemplate = template.Must(template.New("study").Funcs(template.FuncMap{"figure": figure, "span": span}).Parse(pageText))

// page is what the template shows.
type page struct {
	*Summary
	Title   string
	Style   template.CSS
	Policy  string
	Notes   []string
	Heading []string
	Asked   []string // heading of the hypotheses
	Charts  []dotPlot
	Effort  []effort
	About   string
	Arms    []Arm
	Costs   string // name of the file of times
}

// dotPlot shows one measure: a row of dots for each arm, on one scale.
type dotPlot struct {
	Name   string
	Rows   []dotRow
	Ticks  []tick
	Fields [][]string // of the table
}

// dotRow is an arm: a dot a cell, the mean and its interval; places in units of the drawing, which is plotWidth wide.
type dotRow struct {
	Arm       string
	Text      string // mean and interval
	Dots      []float64
	Mean      *float64
	Low, High *float64
	Reference bool
	About     string // for those who do not see
}

type tick struct {
	At   float64
	Text string
}

const (
	plotWidth  = 360
	plotMargin = 16
)

// effort is what an arm does, in figures that do not depend on the machine.
type effort struct {
	Arm    string
	Values []string
}

// effortNames are the values that Effort shows, those that there are.
var effortNames = []string{"passes", "params", "macs"}

// html is the content of report.html: one page that loads nothing and runs no script.
func (s *Summary) html(f *File) ([]byte, error) {
	style := report.Style + ownStyle
	p := page{
		Summary: s, Title: s.title(), Style: template.CSS(style), Policy: report.Policy(style), Notes: s.notes(), Heading: heading, Asked: hypothesisHeading,
		About: f.About, Arms: f.Arms, Costs: costText,
	}
	for _, m := range s.Measures {
		p.Charts = append(p.Charts, m.plot(s.Reference))
	}
	for _, a := range f.Arms {
		p.Effort = append(p.Effort, s.effort(a.Name))
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, p)
	return b.Bytes(), err
}

// effort is the mean over the cells of an arm.
func (s *Summary) effort(arm string) effort {
	e := effort{Arm: arm}
	for _, name := range effortNames {
		n, sum := 0, 0.0
		for _, c := range s.Cells {
			if v, ok := c.Values[name]; ok && c.Arm == arm {
				n++
				sum += v
			}
		}
		text := ""
		if n > 0 {
			text = strconv.FormatFloat(sum/float64(n), 'f', 0, 64)
		}
		e.Values = append(e.Values, text)
	}
	return e
}

// plot draws a measure.
func (m Measure) plot(reference string) dotPlot {
	d := dotPlot{Name: m.Name}
	low, high := math.Inf(1), math.Inf(-1)
	for _, a := range m.Arms {
		d.Fields = append(d.Fields, a.fields())
		for _, p := range a.Points {
			low, high = min(low, p.Value), max(high, p.Value)
		}
		if a.CI95 != nil {
			low, high = min(low, a.CI95[0]), max(high, a.CI95[1])
		}
	}
	if low > high { // no cell
		low, high = 0, 1
	}
	step := report.TickStep(high - low)
	first, last := math.Floor(low/step), math.Ceil(high/step)
	if first == last {
		last++
	}
	place := func(v float64) float64 {
		at := plotMargin + (v/step-first)/(last-first)*(plotWidth-2*plotMargin)
		return math.Round(10*at) / 10
	}
	for k := first; k <= last; k++ {
		d.Ticks = append(d.Ticks, tick{place(k * step), strconv.FormatFloat(k*step, 'g', 6, 64)})
	}
	for _, a := range m.Arms {
		r := dotRow{Arm: a.Arm, Reference: a.Arm == reference, Text: "no cell"}
		for _, p := range a.Points {
			r.Dots = append(r.Dots, place(p.Value))
		}
		if a.Mean != nil {
			at := place(*a.Mean)
			r.Mean, r.Text = &at, figure(a.Mean)
		}
		if a.CI95 != nil {
			from, to := place(a.CI95[0]), place(a.CI95[1])
			r.Low, r.High = &from, &to
			r.Text += fmt.Sprintf(" (%s)", span(a.CI95))
		}
		r.About = fmt.Sprintf("%s: %d cells, mean %s", a.Arm, a.N, r.Text)
		d.Rows = append(d.Rows, r)
	}
	return d
}
