package grad

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// row is one use of an operator, which stands behind its domain and a dot where that is not the standard one. The loss takes its floating-point outputs, or the listed ones.
type row struct {
	op    string
	in    []arg
	attrs ir.Attrs
	outs  int // 1 by default
	loss  []int
}

func args(a ...arg) []arg { return a }

func (r row) function() function {
	return func(b op.B, in []*ir.Value) []*ir.Value {
		var ys []*ir.Value
		domain, name := "", r.op
		if i := strings.LastIndex(r.op, "."); i >= 0 {
			domain, name = r.op[:i], r.op[i+1:]
		}
		for i, y := range b.DomainNode(domain, name, r.attrs, max(r.outs, 1), in...) {
			if y.Type.IsFloat() && (r.loss == nil || slices.Contains(r.loss, i)) {
				ys = append(ys, y)
			}
		}
		return ys
	}
}

func (r row) String() string {
	parts := []string{r.op}
	for _, name := range r.attrs.Names() {
		parts = append(parts, fmt.Sprintf("%s=%v", name, r.attrs[name]))
	}
	for _, a := range r.in {
		switch {
		case a.absent:
			parts = append(parts, "_")
		case a.fixed != nil:
			parts = append(parts, fmt.Sprint(a.fixed.Data))
		default:
			parts = append(parts, ir.Shape(a.shape).String())
		}
	}
	return strings.Join(parts, " ")
}

var tables = map[string][]row{
	"elementwise": elementwiseRows(),
	"activation":  activationRows(),
	"linalg":      linalgRows(),
	"scatter":     scatterRows(),
	"tile":        tileRows,
	"loss":        lossRows(),
	"linear":      linearRows,
	"conv":        convRows(),
	"pool":        poolRows,
	"normalize":   normalizeRows,
	"microsoft":   microsoftRows,
	"resize":      resizeRows,
	"attention":   attentionRows,
	"recurrent":   recurrentRows,
	"sample":      sampleRows,
	"patch":       patchRows,
	"reduce":      reduceRows(),
	"shape":       shapeRows,
}

// TestFirstOrder compares the gradient of every operator with finite differences in every coordinate.
func TestFirstOrder(t *testing.T) {
	for family, rows := range tables {
		t.Run(family, func(t *testing.T) {
			for _, r := range rows {
				checkEvery(t, r.String(), r.in, r.function())
			}
		})
	}
}

// TestSecondOrder differentiates every gradient again, with respect to the inputs and to the gradients of the outputs,
// and compares Hessian-vector products with finite differences of the gradient.
func TestSecondOrder(t *testing.T) {
	for family, rows := range tables {
		t.Run(family, func(t *testing.T) {
			for _, r := range rows {
				in, f := derivative(t, r.in, r.function())
				checkDirections(t, r.String(), in, f)
			}
		})
	}
}

// TestCoverage: every operator of the table has a rule, is piecewise constant, or says why it has none; and every rule
// has a row in the check table.
func TestCoverage(t *testing.T) {
	checked := map[string]bool{"If": true, "Scan": true} // by tests of their own
	for _, rows := range tables {
		for _, r := range rows {
			checked[r.op] = true
		}
	}
	for _, c := range quantCases { // not with finite differences: see TestStraightThrough
		for _, name := range quantised(t, c) {
			checked[name] = true
		}
	}
	for _, name := range op.Names("") {
		kinds := 0
		rule := ruleOf("", name) != nil && constant[name] == ""
		if rule {
			kinds++
		}
		for _, reasons := range []map[string]string{constant, unsupported} {
			if why, ok := reasons[name]; ok {
				kinds++
				if why == "" {
					t.Errorf("operator %s has no reason", name)
				}
			}
		}
		if kinds != 1 {
			t.Errorf("operator %s is in %d of the lists rule, constant and unsupported, expected one", name, kinds)
		}
		if support, why := Supports(name); (support == Full) != rule || (support == Full) != (why == "") {
			t.Errorf("operator %s: support %d, reason %q", name, support, why)
		}
		if rule && !checked[name] {
			t.Errorf("operator %s has a rule without a row in the check table", name)
		}
	}
	for _, name := range op.Names(op.Microsoft) {
		if ruleOf(op.Microsoft, name) == nil || !checked[op.Microsoft+"."+name] {
			t.Errorf("operator %s.%s has no rule or no row in the check table", op.Microsoft, name)
		}
	}
	for _, reasons := range []map[string]string{constant, unsupported} {
		for name := range reasons {
			if op.Lookup("", name) == nil {
				t.Errorf("operator %s is not in the table of operators", name)
			}
		}
	}
	for name := range rules {
		domain, local := "", name
		if i := strings.LastIndex(name, "."); i >= 0 {
			domain, local = name[:i], name[i+1:]
		}
		if op.Lookup(domain, local) == nil {
			t.Errorf("rule for operator %s, which is not in the table of operators", name)
		}
	}
}
