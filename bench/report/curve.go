package report

import "fmt"

// Curve is the accuracy of a model under attacks that differ in one setting, on the same points.
type Curve struct {
	Attack string       `json:"attack"` // "pgd20", or "pgdK" for K steps
	Over   string       `json:"over"`   // "eps" or "steps"
	Points []CurvePoint `json:"points"` // in ascending order
	Flags  []Flag       `json:"flags"`  // reasons to doubt the model's robustness
}

// CurvePoint is one attack of a curve.
type CurvePoint struct {
	Eps   float64 `json:"eps"`
	Steps int     `json:"steps"`
	Robust
}

// Place names a point.
func (c *Curve) Place(i int) string {
	if c.Over == "steps" {
		return fmt.Sprintf("%d steps", c.Points[i].Steps)
	}
	return "eps " + epsText(c.Points[i].Eps)
}

// X is the coordinate that the curve is over.
func (c *Curve) X(i int) float64 {
	if c.Over == "steps" {
		return float64(c.Points[i].Steps)
	}
	return c.Points[i].Eps
}
