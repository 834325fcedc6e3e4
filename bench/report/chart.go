package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// chart is a drawing of curves in a box of Width by Height units. The vertical axis is accuracy.
type chart struct {
	Title, About, XTitle     string
	Width, Height            float64
	Left, Right, Top, Bottom float64 // ends of the axes
	XTicks, YTicks           []tick
	Lines                    []line
	Table                    [][]string // heading and rows of the figures
}

// tick is a mark on an axis with its text.
type tick struct {
	At   float64
	Text string
}

// line is the curve of one model.
type line struct {
	Number int    // number of the model, chooses the style
	Points string // points attribute of the polyline
	Marks  []mark
}

// mark is a point of a curve with its interval, in units of the box.
type mark struct{ X, Y, Low, High float64 }

const (
	chartWidth, chartHeight = 360, 240
	chartLeft, chartRight   = 40, 348
	chartTop, chartBottom   = 12, 190
)

// draw is the chart of the curves of models over eps or steps; nil when no model has one. names has one entry for each model.
func draw(models []Model, names []string, over string) *chart {
	c := &chart{
		Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartRight, Top: chartTop, Bottom: chartBottom,
	}
	var xs []float64
	curves := make([]*Curve, len(models))
	for i := range models {
		for k := range models[i].Curves {
			if curve := &models[i].Curves[k]; curve.Over == over && len(curve.Points) > 0 {
				curves[i] = curve
				for p := range curve.Points {
					xs = append(xs, curve.X(p))
				}
			}
		}
	}
	if len(xs) == 0 {
		return nil
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)
	place := func(x float64) float64 { // eps linear from 0, steps logarithmic
		low, high, at := 0.0, xs[len(xs)-1], x
		if over == "steps" {
			low, high, at = math.Log(xs[0]), math.Log(high), math.Log(x)
		}
		if high <= low {
			return chartLeft
		}
		return tenth(chartLeft + (at-low)/(high-low)*(chartRight-chartLeft))
	}
	height := func(accuracy float64) float64 { return tenth(chartBottom - accuracy*(chartBottom-chartTop)) }
	for _, y := range []float64{0, 0.25, 0.5, 0.75, 1} {
		c.YTicks = append(c.YTicks, tick{height(y), fmt.Sprintf("%.0f %%", 100*y)})
	}
	for i, curve := range curves {
		if curve == nil {
			continue
		}
		c.describe(curve)
		l := line{Number: i % styles}
		var points []string
		for k, p := range curve.Points {
			m := mark{place(curve.X(k)), height(p.RobustAccuracy), height(p.CI95[0]), height(p.CI95[1])}
			l.Marks = append(l.Marks, m)
			points = append(points, fmt.Sprintf("%.1f,%.1f", m.X, m.Y))
		}
		l.Points = strings.Join(points, " ")
		c.Lines = append(c.Lines, l)
	}
	heading := []string{over}
	for i, curve := range curves {
		if curve != nil {
			heading = append(heading, names[i])
		}
	}
	c.Table = [][]string{heading}
	for _, x := range xs {
		text := fmt.Sprint(x)
		if over == "eps" {
			text = EpsText(x)
		}
		if at := place(x); len(c.XTicks) == 0 || at-c.XTicks[len(c.XTicks)-1].At >= 14 {
			c.XTicks = append(c.XTicks, tick{at, strings.TrimSuffix(text, "/255")})
		}
		row := []string{text}
		for _, curve := range curves {
			if curve != nil {
				row = append(row, curve.cell(x))
			}
		}
		c.Table = append(c.Table, row)
	}
	return c
}

// describe sets the title, the text and the name of the horizontal axis.
func (c *chart) describe(curve *Curve) {
	c.Title = "Accuracy against the number of steps"
	c.About = fmt.Sprintf("pgd with K steps at eps %s. More steps must not leave more points right, but for noise.", EpsText(curve.Points[0].Eps))
	c.XTitle = "steps"
	if curve.Over == "eps" {
		c.Title = "Accuracy against eps"
		c.About = curve.Attack + " at several radii, 0 being the clean accuracy. With a large radius the accuracy of every model must come near zero."
		c.XTitle = "eps"
		if slices.ContainsFunc(curve.Points, func(p CurvePoint) bool { return strings.HasSuffix(EpsText(p.Eps), "/255") }) {
			c.XTitle = "eps (in 255ths of the pixel range)"
		}
	}
}

// cell is the accuracy at x with its interval, "" where the curve has no such point.
func (c *Curve) cell(x float64) string {
	for i, p := range c.Points {
		if c.X(i) == x {
			return fmt.Sprintf("%s (%s)", percent(p.RobustAccuracy), interval(p.CI95))
		}
	}
	return ""
}

// tenth rounds a coordinate to tenths, so that the last bits of floating-point functions do not reach the file.
func tenth(v float64) float64 { return math.Round(10*v) / 10 }

// EpsText is a radius as people write it: a short decimal number, or a multiple of a quarter of 1/255.
func EpsText(eps float64) string {
	quarters := 4 * 255 * eps
	whole := math.Round(quarters)
	if short := fmt.Sprint(eps); len(short) > 5 && eps <= 1 && math.Abs(quarters-whole) < 1e-6 {
		return fmt.Sprintf("%g/255", whole/4)
	}
	return fmt.Sprintf("%.4g", eps)
}

// percent is a fraction in percent with its sign.
func percent(fraction float64) string { return fmt.Sprintf("%.1f\u00a0%%", 100*fraction) }

// interval is an interval of fractions in percent.
func interval(ci [2]float64) string {
	return fmt.Sprintf("%.1f\u00a0–\u00a0%.1f", 100*ci[0], 100*ci[1])
}
