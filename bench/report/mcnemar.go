package report

import "math/big"

// Comparison is the outcome of two models on the same points. A point is right if it is classified rightly and, under an attack, survives.
type Comparison struct {
	First      string  `json:"first"` // paths of the models
	Second     string  `json:"second"`
	Attack     string  `json:"attack"`      // "clean", the name of an attack, or "worst_case"
	FirstOnly  int     `json:"first_only"`  // points that are right with the first model only
	SecondOnly int     `json:"second_only"` // points that are right with the second model only
	Both       int     `json:"both"`        // points that are right with both
	P          float64 `json:"p"`           // p-value, see McNemar
}

// Compare counts points. first and second have one entry for each point, which tells whether the point is right.
func Compare(first, second []bool) Comparison {
	var c Comparison
	for i, a := range first {
		switch b := second[i]; {
		case a && b:
			c.Both++
		case a:
			c.FirstOnly++
		case b:
			c.SecondOnly++
		}
	}
	c.P = McNemar(c.FirstOnly, c.SecondOnly)
	return c
}

// McNemar is the two-sided p-value of McNemar's test (McNemar 1947) in its exact binomial form: the probability that n = b+c fair coins fall at
// least as unevenly as b to c, min(1, 2 sum_{i<=min(b,c)} C(n,i) / 2^n). It is 1 if n is 0. The sum is computed in integers and rounded once.
func McNemar(b, c int) float64 {
	n, k := int64(b)+int64(c), int64(min(b, c))
	term, sum, factor := big.NewInt(1), big.NewInt(1), new(big.Int) // C(n,0)
	for i := range k {
		term.Mul(term, factor.SetInt64(n-i))
		term.Quo(term, factor.SetInt64(i+1))
		sum.Add(sum, term)
	}
	p := new(big.Float).SetInt(sum)
	p.SetMantExp(p, 1-int(n))
	v, _ := p.Float64()
	return min(v, 1)
}
