package bench

import (
	"fmt"
	"math"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// nanOperator names the operator at whose gradient the numbers are lost, in a batch that holds the point alone: that of the first node of the
// gradient with an output that is infinite or not a number. "" where every number survives in that batch.
func (s *subject) nanOperator(point int) (string, error) {
	c, err := s.model.classifier(s.model.batch)
	if err != nil {
		return "", err
	}
	b := op.NewB("nan")
	images, labels := c.Open(b, s.model.batch)
	ce, _ := program.CriterionNamed("ce")
	b.Output("gradient", program.RawInputGradient(b, ce.Of(b, c.Logits(b, images), labels), images))
	p, err := program.Finish(b)
	if err != nil {
		return "", err
	}
	g := p.Graph
	var shown []*ir.Node
	for _, n := range g.Nodes {
		if v := n.Out[0]; v != nil && v.Type == ir.Float32 && v != g.Outputs[0] {
			g.Outputs, shown = append(g.Outputs, v), append(shown, n)
		}
	}
	bytes, err := export.Marshal(g, export.Options{})
	if err != nil {
		return "", err
	}
	session, err := ort.NewSession(bytes, s.job.Runtime)
	if err != nil {
		return "", err
	}
	defer session.Close()
	s.fill([]int{point})
	out, err := session.RunAlloc([]*tensor.Tensor{s.model.input(s.images), tensor.Of([]int64{int64(s.model.batch)}, s.labels...)})
	if err != nil {
		return "", err
	}
	for i, n := range shown {
		from := forward(c.Graph, n)
		if from != nil && lost(out[i+1]) {
			return fmt.Sprintf("first at %s (%s), ", from.Name, from.Op), nil
		}
	}
	return "", nil
}

// forward is the node of the classifier whose gradient the node n is a part of, or nil. The name of n starts with "grad/" and that of the node.
func forward(g *ir.Graph, n *ir.Node) (found *ir.Node) {
	rest, ok := strings.CutPrefix(n.Name, "grad/")
	for _, m := range g.Nodes {
		if ok && strings.HasPrefix(rest, m.Name+"/") && (found == nil || len(m.Name) > len(found.Name)) {
			found = m
		}
	}
	return found
}

// lost reports whether an element is infinite or not a number.
func lost(t *tensor.Tensor) bool {
	for i := range t.Len() {
		if v := t.Float64At(i); math.IsNaN(v) || math.IsInf(v, 0) {
			return true
		}
	}
	return false
}
