package search

import (
	"cmp"
	"math"
	"slices"
)

// dominates reports whether a is nowhere less than b, and somewhere more: of both more is better.
func dominates(a, b []float64) bool {
	more := false
	for k, v := range a {
		if v < b[k] {
			return false
		}
		more = more || v > b[k]
	}
	return more
}

// sortFronts are the fronts of points, the best first: those that no point dominates, those that only these dominate, and so on, each in
// the order of the points (Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002, section III-A).
func sortFronts(points [][]float64) (fronts [][]int) {
	above := make([]int, len(points)) // points that dominate one
	below := make([][]int, len(points))
	var front []int
	for i, a := range points {
		for j, b := range points {
			if dominates(a, b) {
				below[i] = append(below[i], j)
				above[j]++
			}
		}
	}
	for i, n := range above {
		if n == 0 {
			front = append(front, i)
		}
	}
	for len(front) > 0 {
		fronts = append(fronts, front)
		var next []int
		for _, i := range front {
			for _, j := range below[i] {
				if above[j]--; above[j] == 0 {
					next = append(next, j)
				}
			}
		}
		slices.Sort(next)
		front = next
	}
	return fronts
}

// crowding is the crowding distance of every point of a front: the sum over the objectives of the distance between its two neighbours,
// in parts of the range of the front; infinite at the ends of an objective that has a range (Deb et al. 2002, section III-B).
func crowding(points [][]float64, front []int) map[int]float64 {
	distance := map[int]float64{}
	for _, i := range front {
		distance[i] = 0
	}
	for k := range points[front[0]] {
		order := slices.Clone(front)
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(points[a][k], points[b][k]) })
		last := len(order) - 1
		width := points[order[last]][k] - points[order[0]][k]
		if width == 0 {
			continue
		}
		distance[order[0]], distance[order[last]] = math.Inf(1), math.Inf(1)
		if !(width < math.Inf(1)) {
			continue // missing scores, at minus infinity, have no distances
		}
		for n := 1; n < last; n++ {
			distance[order[n]] += (points[order[n+1]][k] - points[order[n-1]][k]) / width
		}
	}
	return distance
}

// standing is the place of every point in the crowded comparison of Deb et al. 2002, section III-C, from 0 for the best: by front, and
// within a front by crowding distance. Points that are alike in both share a place. With one objective it is the order by that.
func standing(points [][]float64) []int {
	place := make([]int, len(points))
	at := 0
	for _, front := range sortFronts(points) {
		distance := crowding(points, front)
		slices.SortStableFunc(front, func(a, b int) int { return cmp.Compare(distance[b], distance[a]) })
		for n, i := range front {
			place[i] = at + n
			if n > 0 && distance[i] == distance[front[n-1]] {
				place[i] = place[front[n-1]]
			}
		}
		at += len(front)
	}
	return place
}
