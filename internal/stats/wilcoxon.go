package stats

import (
	"math"
	"slices"
)

// SignedRank is the outcome of Wilcoxon's signed-rank test.
type SignedRank struct {
	N     int     `json:"n"`      // differences other than 0
	WPlus float64 `json:"w_plus"` // sum of the ranks of the positive ones
	P     float64 `json:"p"`      // two-sided
}

// tie is the distance, as a part of the largest magnitude, below which two magnitudes are equal: the difference of two
// decimal numbers is exact to far less.
const tie = 1e-9

// Wilcoxon is the exact signed-rank test of paired differences, two-sided (Wilcoxon 1945). Differences of 0 are left out;
// equal magnitudes share the mean of their ranks. P is from the distribution of WPlus over all 2^N signs of these ranks,
// each equally likely: twice the smaller tail, WPlus included, and at most 1. Without differences P is 1.
func Wilcoxon(differences []float64) SignedRank {
	largest := 0.0
	for _, d := range differences {
		largest = max(largest, math.Abs(d))
	}
	var kept []float64 // in units of tie
	for _, d := range differences {
		if q := math.Round(d / (tie * largest)); largest > 0 && q != 0 {
			kept = append(kept, q)
		}
	}
	slices.SortFunc(kept, func(a, b float64) int {
		switch x, y := math.Abs(a), math.Abs(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	ranks, plus := make([]int, len(kept)), 0 // twice the ranks, which are whole
	for i := 0; i < len(kept); {
		end := i + 1
		for end < len(kept) && math.Abs(kept[end]) == math.Abs(kept[i]) {
			end++
		}
		for k := i; k < end; k++ {
			ranks[k] = i + 1 + end
			if kept[k] > 0 {
				plus += ranks[k]
			}
		}
		i = end
	}
	return SignedRank{N: len(kept), WPlus: float64(plus) / 2, P: signedRankP(ranks, plus)}
}

// signedRankP sums the distribution of the sum of a random half of the ranks: share[s] is the part of all choices of signs
// whose positive ranks sum to s.
func signedRankP(ranks []int, plus int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	share := make([]float64, total+1)
	share[0] = 1
	for _, r := range ranks {
		for s := total; s >= 0; s-- {
			share[s] /= 2
			if s >= r {
				share[s] += share[s-r] / 2
			}
		}
	}
	low, high := 0.0, 0.0
	for s, p := range share {
		if s <= plus {
			low += p
		}
		if s >= plus {
			high += p
		}
	}
	return min(1, 2*min(low, high))
}
