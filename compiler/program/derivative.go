package program

import (
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// OutputLoss is the loss of a Derivative that is an output weighted by an input of the gradient graph.
const OutputLoss = "output"

// Derivative says which gradient is appended to a model.
type Derivative struct {
	Loss   string   `json:"loss"`   // name of a Criterion, or OutputLoss
	Output string   `json:"output"` // the loss is of this output; "" for the first one
	Params bool     `json:"params"` // with respect to parameters instead of inputs
	Names  []string `json:"names"`  // of inputs or constants; none for every input or parameter that the loss depends on
}

// Losses lists the names that Derivative.Loss takes.
func Losses() []string {
	var names []string
	for _, c := range Criteria() {
		names = append(names, c.Name)
	}
	return append(names, OutputLoss)
}

// Append turns a model into its gradient graph. The graph keeps its inputs and outputs, in float32 where they have another
// floating-point type, as all of it computes in float32, and gets
//
//	labels           int64 [N], an input, for a loss that is a Criterion
//	output_gradient  float32 of the shape of the output, an input, for OutputLoss
//	loss             float32 [N], one per sample, an output
//	grad.NAME        of type and shape of NAME, outputs: the gradient of the sum of loss
//
// A Criterion is of the logits that LogitFormOf finds: [N,K], which may have further dimensions of 1, before a Softmax or Sigmoid at the end,
// and of two classes where there is one number for each image. Parameters are the floating-point constants of
// at least one dimension except the statistics of batch normalisation; any other floating-point constant can be named.
// Statistics, like everything else that is not asked for, count as constants. After an error g is not usable.
func (d Derivative) Append(g *ir.Graph) error {
	if err := inFloat32(g); err != nil {
		return err
	}
	out, err := d.output(g)
	if err != nil {
		return err
	}
	xs, err := d.variables(g)
	if err != nil {
		return err
	}
	b := op.Extend(g)
	var loss *ir.Value
	b.In("loss", func() { loss = d.loss(b, out) })
	if b.Err() != nil {
		_, err := b.Build()
		return err
	}
	one := b.ExpandLike(b.Float(loss, 1), loss)
	grads := grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{one}, xs)
	b.Output("loss", loss)
	found := 0
	for i, x := range xs {
		switch {
		case b.Err() != nil:
		case grads[i] != nil:
			b.Output("grad."+x.Name, grads[i])
			found++
		case len(d.Names) > 0:
			b.Fail("the loss of output %s does not depend on %s, or no gradient passes on the way%s", out.Name, x, cutAt(g, out, x))
		}
	}
	if found == 0 && b.Err() == nil {
		b.Fail("the loss of output %s depends on none of %s, or no gradient passes on the way%s", out.Name, strings.Join(names(xs), ", "), cutAt(g, out, xs[0]))
	}
	_, err = b.Build()
	return err
}

// cutAt names the first operator between x and y that lets values pass but no gradient, "" for none.
func cutAt(g *ir.Graph, y, x *ir.Value) string {
	_, findings := grad.Path(g, y, x)
	for _, f := range findings {
		if f.Kind == grad.Cut {
			return ": " + f.String()
		}
	}
	return ""
}

// output is the value that the loss is of.
func (d Derivative) output(g *ir.Graph) (*ir.Value, error) {
	if len(g.Outputs) == 0 {
		return nil, fmt.Errorf("graph %s has no output", g.Name)
	}
	out := g.Outputs[0]
	if d.Output != "" {
		if out = g.Output(d.Output); out == nil {
			return nil, fmt.Errorf("graph %s: expected an output among %s, found %q", g.Name, strings.Join(names(g.Outputs), ", "), d.Output)
		}
	}
	if !out.Type.IsFloat() {
		return nil, fmt.Errorf("graph %s: expected a floating-point output, found %s", g.Name, out)
	}
	return out, nil
}

// loss is that of each sample [N].
func (d Derivative) loss(b op.B, out *ir.Value) *ir.Value {
	if d.Loss == OutputLoss {
		weight := b.Input("output_gradient", ir.Float32, out.Shape...)
		loss := b.Mul(out, weight)
		switch loss.Rank() {
		case 0:
			return b.Reshape(loss, 1)
		case 1:
			return loss
		}
		var axes []int64
		for i := 1; i < loss.Rank(); i++ {
			axes = append(axes, int64(i))
		}
		return b.ReduceSum(loss, false, axes...)
	}
	rows := Criteria()
	i := slices.IndexFunc(rows, func(c Criterion) bool { return c.Name == d.Loss })
	if i < 0 {
		b.Fail("loss: expected %s, found %q", strings.Join(Losses(), ", "), d.Loss)
		return out
	}
	form, err := LogitFormOf(out)
	if err != nil {
		b.Fail("loss %s: %w", d.Loss, err)
		return out
	}
	out = form.Logits(b)
	if c := rows[i]; b.Err() != nil || out.Shape[1] < c.Classes {
		b.Fail("loss %s: expected logits [N,K] with K at least %d, found %s", c.Name, c.Classes, out)
		return out
	}
	return rows[i].Of(b, out, b.Input("labels", ir.Int64, out.Shape[0]))
}

// variables are the values that the gradient is with respect to.
func (d Derivative) variables(g *ir.Graph) ([]*ir.Value, error) {
	among := g.Inputs
	if d.Params {
		among = g.Constants()
	}
	var xs []*ir.Value
	for _, name := range d.Names {
		i := slices.IndexFunc(among, func(v *ir.Value) bool { return v.Name == name && v.Type.IsFloat() })
		if i < 0 {
			return nil, fmt.Errorf("graph %s: there is no floating-point %s %q", g.Name, map[bool]string{false: "input", true: "constant"}[d.Params], name)
		}
		if !slices.Contains(xs, among[i]) {
			xs = append(xs, among[i])
		}
	}
	if len(d.Names) > 0 {
		return xs, nil
	}
	statistics := map[*ir.Value]bool{}
	for _, n := range g.Nodes {
		if n.Op == "BatchNormalization" {
			statistics[n.Input(3)], statistics[n.Input(4)] = true, true
		}
	}
	for _, v := range among {
		if v.Type.IsFloat() && !(d.Params && (v.Rank() == 0 || statistics[v])) {
			xs = append(xs, v)
		}
	}
	if len(xs) == 0 {
		return nil, fmt.Errorf("graph %s: expected a floating-point %s, found none", g.Name, map[bool]string{false: "input", true: "parameter"}[d.Params])
	}
	return xs, nil
}

func names(values []*ir.Value) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Name
	}
	return list
}
