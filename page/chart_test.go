package page

import (
	"fmt"
	"strings"
	"testing"
)

// An axis has round steps, holds its values, and places them by hand.
func TestAxis(t *testing.T) {
	for _, c := range []struct {
		a     axis
		value float64
		at    float64
		ticks string
	}{
		{linear(0, 1), 0.25, 25, "0@0 0.2@20 0.4@40 0.6@60 0.8@80 1@100"},
		{linear(-0.5, 1), 0.25, 50, "-0.5@0 0@33.3 0.5@66.7 1@100"},
		{linear(3, 3), 3, 0, "3@0 4@100"},
		{linear(0, 0), 0, 0, "0@0 1@100"},
		{logarithmic(0.002, 3), 0.1, 50, "0.001@0 0.01@25 0.1@50 1@75 10@100"},
	} {
		var ticks []string
		for _, k := range c.a.ticks(0, 100) {
			ticks = append(ticks, fmt.Sprintf("%s@%g", k.Text, k.At))
		}
		if got := strings.Join(ticks, " "); got != c.ticks || c.a.place(c.value, 0, 100) != c.at {
			t.Errorf("expected %s and %v, found %s and %v", c.ticks, c.at, got, c.a.place(c.value, 0, 100))
		}
	}
}

// A chart leaves out a series that no epoch has and epochs that have no value; it is no chart without any.
func TestDraw(t *testing.T) {
	type epoch struct {
		n    int
		a, b *float64
	}
	c := curve[epoch]{title: "t", series: []series[epoch]{
		{"a", func(e epoch) *float64 { return e.a }},
		{"b", func(e epoch) *float64 { return e.b }},
		{"none", func(epoch) *float64 { return nil }},
	}}
	number := func(e epoch) int { return e.n }
	epochs := []epoch{{1, pointer(0), nil}, {2, pointer(1), pointer(0.5)}, {3, pointer(0.5), nil}}
	got := c.draw(epochs, number)
	if len(got.Lines) != 2 || got.Lines[0].Points != "48,172 198,10 348,91" || got.Lines[1].Points != "198,91" || got.Lines[1].Name != "b" || got.Lines[1].X != 198 {
		t.Errorf("found %+v", got.Lines)
	}
	if c.draw([]epoch{{n: 1}}, number) != nil {
		t.Error("found a chart without values")
	}
	if table := figures([]curve[epoch]{c}, epochs, number); fmt.Sprint(table) != "[[epoch t: a t: b] [1 0 ] [2 1 0.5] [3 0.5 ]]" {
		t.Errorf("found %v", table)
	}
	long := make([]epoch, 1000)
	for i := range long {
		long[i] = epoch{n: i + 1, a: pointer(float64(i))}
	}
	points := strings.Fields(c.draw(long, number).Lines[0].Points)
	if len(points) > mostPoints+1 || points[len(points)-1] != "348,10.2" {
		t.Errorf("found %d points, the last %s", len(points), points[len(points)-1])
	}
}
