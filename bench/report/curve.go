package report

import "fmt"

// Curve is the accuracy of a model, on the same points, under attacks that differ in one setting.
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

// Place names point i for people.
func (c *Curve) Place(i int) string {
	if c.Over == "steps" {
		return fmt.Sprintf("%d steps", c.Points[i].Steps)
	}
	return "eps " + EpsText(c.Points[i].Eps)
}

// X is the horizontal coordinate of point i: eps or steps.
func (c *Curve) X(i int) float64 {
	if c.Over == "steps" {
		return float64(c.Points[i].Steps)
	}
	return c.Points[i].Eps
}
