package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"rnas/bench/report"
)

// Box of a chart, in units of the drawing.
const (
	chartWidth, chartHeight = 360, 210
	chartLeft, chartRight   = 48, 348
	chartTop, chartBottom   = 10, 172
)

// mostPoints bounds the points of a line; of more epochs every so many are drawn, and the last.
const mostPoints = 120

// curve is what a chart shows of epochs of type E: one line for each series.
type curve[E any] struct {
	title, about string
	// within is a range that the vertical axis has at least; none where both are 0.
	within [2]float64
	// log makes the axis logarithmic where all values are positive and far apart.
	log    bool
	series []series[E]
}

// series is a figure of an epoch, nil where the epoch has none.
type series[E any] struct {
	name string
	of   func(e E) *float64
}

// chart is a drawing of lines over epochs.
type chart struct {
	Title, About   string
	Lines          []line
	XTicks, YTicks []tick
}

// Named reports whether the chart needs a legend.
func (c *chart) Named() bool { return len(c.Lines) > 1 }

// tick is a mark on an axis with its text.
type tick struct {
	At   float64
	Text string
}

// line is a series: Number chooses the style, Points is the attribute of a polyline, and X and Y are the place of its last point.
type line struct {
	Name   string
	Number int
	Points string
	X, Y   float64
}

// draw is the chart of the series that some epoch has; nil if there are none.
func (c curve[E]) draw(epochs []E, number func(e E) int) *chart {
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range epochs {
		for _, s := range c.series {
			if v := s.of(e); v != nil {
				low, high = min(low, *v), max(high, *v)
			}
		}
	}
	if low > high {
		return nil
	}
	if c.within != [2]float64{} {
		low, high = min(low, c.within[0]), max(high, c.within[1])
	}
	y := linear(low, high)
	if c.log && low > 0 && high > 20*low {
		y = logarithmic(low, high)
	}
	first, last := number(epochs[0]), number(epochs[len(epochs)-1])
	out := &chart{Title: c.title, About: c.about, YTicks: y.ticks(chartBottom, chartTop), XTicks: epochTicks(first, last)}
	for i, s := range c.series {
		l := line{Name: s.name, Number: i}
		var points []string
		for k, e := range epochs {
			v := s.of(e)
			if v == nil || !drawn(k, len(epochs)) {
				continue
			}
			l.X, l.Y = epochAt(number(e), first, last), y.place(*v, chartBottom, chartTop)
			points = append(points, fmt.Sprintf("%g,%g", l.X, l.Y))
		}
		if l.Points = strings.Join(points, " "); l.Points != "" {
			out.Lines = append(out.Lines, l)
		}
	}
	return out
}

// drawn reports whether the point of entry i of n is drawn.
func drawn(i, n int) bool {
	every := (n + mostPoints - 1) / mostPoints
	return i%every == 0 || i == n-1
}

// epochAt is the place of an epoch across a chart.
func epochAt(epoch, first, last int) float64 {
	if first == last {
		return (chartLeft + chartRight) / 2
	}
	return tenth(chartLeft + float64(epoch-first)/float64(last-first)*(chartRight-chartLeft))
}

// epochTicks marks whole epochs.
func epochTicks(first, last int) (ticks []tick) {
	step := max(int(report.TickStep(float64(last-first))), 1)
	for e := first; e <= last; e++ {
		if e%step == 0 || first == last {
			ticks = append(ticks, tick{epochAt(e, first, last), strconv.Itoa(e)})
		}
	}
	return ticks
}

// axis maps values to places: steps of size step from first to last, of the values or of their logarithms.
type axis struct {
	step, first, last float64
	log               bool
}

// linear is an axis with a few round steps that holds both values.
func linear(low, high float64) axis {
	a := axis{step: report.TickStep(high - low)}
	if low == high && low != 0 {
		a.step = report.TickStep(math.Abs(low))
	}
	a.first, a.last = math.Floor(low/a.step+1e-9), math.Ceil(high/a.step-1e-9)
	if a.first >= a.last {
		a.last = a.first + 1
	}
	return a
}

// logarithmic is an axis of powers of ten that holds both values.
func logarithmic(low, high float64) axis {
	a := axis{step: 1, first: math.Floor(math.Log10(low)), last: math.Ceil(math.Log10(high)), log: true}
	a.step = math.Ceil((a.last - a.first) / 6)
	a.first, a.last = math.Floor(a.first/a.step), math.Ceil(a.last/a.step)
	return a
}

// place is where a value stands between the ends of the axis.
func (a axis) place(v, from, to float64) float64 {
	if a.log {
		v = math.Log10(v)
	}
	return tenth(from + (v/a.step-a.first)/(a.last-a.first)*(to-from))
}

func (a axis) ticks(from, to float64) (ticks []tick) {
	for k := a.first; k <= a.last; k++ {
		v := k * a.step
		if a.log {
			v = math.Pow(10, v)
		}
		ticks = append(ticks, tick{a.place(v, from, to), strconv.FormatFloat(v, 'g', 5, 64)})
	}
	return ticks
}

// tenth rounds a coordinate to tenths, so that the last bits of floating-point functions do not reach the file.
func tenth(v float64) float64 { return math.Round(10*v) / 10 }

// figures is a table of the series that some epoch has: a heading of the titles and names, then a row for each epoch.
func figures[E any](curves []curve[E], epochs []E, number func(e E) int) [][]string {
	table := make([][]string, len(epochs)+1)
	table[0] = []string{"epoch"}
	for i, e := range epochs {
		table[i+1] = []string{strconv.Itoa(number(e))}
	}
	for _, c := range curves {
		for _, s := range c.series {
			column, some := make([]string, len(epochs)), false
			for i, e := range epochs {
				if v := s.of(e); v != nil {
					column[i], some = figure(*v), true
				}
			}
			if !some {
				continue
			}
			heading := c.title
			if len(c.series) > 1 {
				heading += ": " + s.name
			}
			table[0] = append(table[0], heading)
			for i, text := range column {
				table[i+1] = append(table[i+1], text)
			}
		}
	}
	return table
}

// figure is a number with four digits.
func figure(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
