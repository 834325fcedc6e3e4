package main

import (
	"math"
	"strings"
	"testing"

	"rnas/internal/dataset"
)

func TestRunningMean(t *testing.T) {
	var m mean
	for _, v := range []float64{1, 2, 4} {
		m.add(gradient{v}, 0.5)
	}
	if got, want := m.value()[0], (0.25*1+0.5*2+1*4)/1.75; math.Abs(got-want) > 1e-12 {
		t.Errorf("running mean %v, want %v", got, want)
	}
}

func TestTable(t *testing.T) {
	var tab, other table
	goal := gradient{1, 0}
	tab.add("a", 2, []gradient{{3, 0}, {0, 1}}, goal)
	other.add("a", 2, []gradient{{1, 1}, {1, 1}}, goal)
	tab.append(&other)
	tab.add("b", 1, []gradient{{-2, 0}}, goal)
	var b strings.Builder
	if err := tab.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| a | 2 | 0.604 (0.500 to 0.707) | 0.500 (0.000 to 1.000) |", "| b | 1 | -1.000 (-1.000 to -1.000) |  |"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// The mean of n numbers from 0 to 1 in equal steps has a standard error of 1/sqrt(12 n).
func TestBootstrap(t *testing.T) {
	var x []float64
	for i := range 100 {
		x = append(x, float64(i)/99)
	}
	low, high := bootstrap(x)
	if want := 2 * 1.96 / math.Sqrt(1200); math.Abs(high-low-want) > 0.1*want || low > 0.5 || high < 0.5 {
		t.Errorf("interval %v to %v, want a width of %v around 0.5", low, high, want)
	}
}

func TestGroups(t *testing.T) {
	got := groups([]gradient{{1}, {3}, {5}, {7}, {100}}, 2)
	if len(got) != 2 || got[0][0] != 2 || got[1][0] != 6 {
		t.Errorf("found %v, want means 2 and 6", got)
	}
}

func TestHalved(t *testing.T) {
	d := &dataset.Dataset{Shape: [3]int{1, 2, 4}, Labels: []int32{0, 1}, Images: []uint8{0, 1, 10, 20, 2, 3, 30, 40, 9, 9, 0, 0, 9, 9, 0, 1}}
	if got := halved(d).Images; string(got) != string([]uint8{2, 25, 9, 0}) {
		t.Errorf("found %v, want [2 25 9 0]", got)
	}
}
