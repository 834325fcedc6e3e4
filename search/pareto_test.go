package search

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"rnas/internal/rng"
)

// By hand: 0 and 3 are best in one objective each, 1 stands between them, 2 is below 1, 4 is below 2, and 5 misses a score.
func TestStanding(t *testing.T) {
	points := [][]float64{{9, 1}, {6, 5}, {5, 5}, {1, 9}, {2, 2}, {math.Inf(-1), 4}}
	if got, want := sortFronts(points), [][]int{{0, 1, 3}, {2}, {4, 5}}; !reflect.DeepEqual(got, want) {
		t.Errorf("fronts: found %v, expected %v", got, want)
	}
	if got := crowding(points, []int{0, 1, 3}); !math.IsInf(got[0], 1) || !math.IsInf(got[3], 1) || got[1] != 8./8+8./8 {
		t.Errorf("crowding: found %v", got)
	}
	if got, want := standing(points), []int{0, 2, 3, 0, 4, 4}; !reflect.DeepEqual(got, want) {
		t.Errorf("standing: found %v, expected %v", got, want)
	}
	if got, want := standing([][]float64{{1}, {3}, {2}, {3}}), []int{3, 0, 2, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("one objective: found %v, expected %v", got, want)
	}
}

// The fronts of random points on a grid are those that are found by peeling: those that nothing left dominates, again and again.
func TestFrontsByPeeling(t *testing.T) {
	r := rng.New(3, rng.Probe, 0, 0, 0)
	for range 50 {
		points := make([][]float64, 1+r.IntN(20))
		left := make([]int, len(points))
		for i := range points {
			points[i], left[i] = []float64{float64(r.IntN(5)), float64(r.IntN(5)), float64(r.IntN(5))}, i
		}
		for _, front := range sortFronts(points) {
			var best []int
			for _, i := range left {
				if !slices.ContainsFunc(left, func(j int) bool {
					a, b := points[j], points[i]
					return a[0] >= b[0] && a[1] >= b[1] && a[2] >= b[2] && !slices.Equal(a, b)
				}) {
					best = append(best, i)
				}
			}
			if !slices.Equal(front, best) {
				t.Fatalf("%v: found %v, expected %v", points, front, best)
			}
			left = slices.DeleteFunc(left, func(i int) bool { return slices.Contains(best, i) })
		}
		if len(left) > 0 {
			t.Fatalf("%v: %v are in no front", points, left)
		}
	}
}
