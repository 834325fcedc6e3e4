// Package op is the table of operators: one row per operator with arity, attributes and shape inference, and typed
// constructors for the ones that the compiler emits. The semantics are those of ONNX operator set 18; the export
// package converts files of other versions on the way in and out.
package op

import (
	"fmt"
	"strings"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Op is one row of the table of operators. Since is the operator set that introduced the operator as it is here, 0 if every file has
// it; SinceOf gives the one that a node needs by its attributes and shapes. Without Infer, types and shapes are those of the
// decomposition.
type Op struct {
	Name      string
	Domain    string
	Since     int
	SinceOf   func(n *ir.Node) int
	In        Arity
	Out       Arity
	Attrs     []Attr
	Infer     func(c *Ctx) error
	Decompose Decomposition
}

// Arity bounds a number of inputs or outputs. With Max < 0, any number from Min up will do.
type Arity struct{ Min, Max int }

// Attr is an attribute that an operator accepts. Kind is the zero value of the type of the attribute.
type Attr struct {
	Name     string
	Kind     any
	Required bool
}

var registry = map[string]*Op{}

func register(rows []Op) {
	for i := range rows {
		key := rows[i].Domain + ":" + rows[i].Name
		if registry[key] != nil {
			panic("op: two rows for " + key)
		}
		if rows[i].Infer == nil {
			rows[i].Infer = byDecomposition
		}
		registry[key] = &rows[i]
	}
}

// Lookup finds the row of an operator, and returns nil if there is none.
func Lookup(domain, name string) *Op { return registry[domain+":"+name] }

// Names lists the operators of a domain, sorted. The tests that hold other tables against this one range over it.
func Names(domain string) []string {
	var a ir.Attrs = map[string]any{}
	for key := range registry {
		if name, ok := strings.CutPrefix(key, domain+":"); ok {
			a[name] = nil
		}
	}
	return a.Names()
}

// Infer checks arity and attributes of n and sets type and shape of its outputs. An error names node, operator and input shapes.
func Infer(n *ir.Node) error {
	row := Lookup(n.Domain, n.Op)
	if row == nil {
		return fmt.Errorf("node %s: operator %s is not known", n.Name, qualified(n))
	}
	c := &Ctx{Node: n}
	if err := c.check(row); err != nil {
		return c.wrap(err)
	}
	if err := row.Infer(c); err != nil {
		return c.wrap(err)
	}
	for i, v := range n.Out {
		if v != nil && v.Type == 0 {
			return c.wrap(fmt.Errorf("output %d cannot be inferred", i))
		}
	}
	return nil
}

func qualified(n *ir.Node) string {
	if n.Domain == "" {
		return n.Op
	}
	return n.Domain + "." + n.Op
}

// Ctx is what an inference function sees: the node and helpers over it.
type Ctx struct{ *ir.Node }

func (c *Ctx) check(row *Op) error {
	if err := row.In.check("inputs", len(c.In)); err != nil {
		return err
	}
	if err := row.Out.check("outputs", len(c.Out)); err != nil {
		return err
	}
	for i, v := range c.In {
		if v == nil && i < row.In.Min {
			return fmt.Errorf("input %d is missing", i)
		}
		if v != nil && v.Type == 0 {
			return fmt.Errorf("input %d (%s) has no type", i, v.Name)
		}
	}
	for _, name := range c.Attrs.Names() {
		spec := row.attr(name)
		if spec == nil {
			return fmt.Errorf("attribute %s is not known", name)
		}
		if want, got := fmt.Sprintf("%T", spec.Kind), fmt.Sprintf("%T", c.Attrs[name]); want != got {
			return fmt.Errorf("attribute %s: expected %s, found %s", name, want, got)
		}
	}
	for _, a := range row.Attrs {
		if _, ok := c.Attrs[a.Name]; a.Required && !ok {
			return fmt.Errorf("attribute %s is missing", a.Name)
		}
	}
	return nil
}

func (a Arity) check(what string, n int) error {
	if n < a.Min || a.Max >= 0 && n > a.Max {
		if a.Max < 0 {
			return fmt.Errorf("expected at least %d %s, found %d", a.Min, what, n)
		}
		return fmt.Errorf("expected %d to %d %s, found %d", a.Min, a.Max, what, n)
	}
	return nil
}

func (o *Op) attr(name string) *Attr {
	for i := range o.Attrs {
		if o.Attrs[i].Name == name {
			return &o.Attrs[i]
		}
	}
	return nil
}

func (c *Ctx) wrap(err error) error {
	shapes := make([]string, len(c.In))
	for i, v := range c.In {
		shapes[i] = "-"
		if v != nil {
			shapes[i] = v.Type.String() + v.Shape.String()
		}
	}
	return fmt.Errorf("node %s: %s(%s): %w", c.Name, qualified(c.Node), strings.Join(shapes, ", "), err)
}

// Set fixes type and shape of output i if it is wanted. A shape that no tensor can have is an error.
func (c *Ctx) Set(i int, t ir.DType, shape ...int64) error {
	var static []int64
	for _, d := range shape {
		if d < 0 && d != ir.N {
			return fmt.Errorf("output shape %s has a negative dimension", ir.Shape(shape))
		}
		if d != ir.N {
			static = append(static, d)
		}
	}
	if _, err := tensor.Numel(static); err != nil {
		return fmt.Errorf("output %w", err)
	}
	if v := c.Output(i); v != nil {
		v.Type, v.Shape = t, ir.Shape(shape).Clone()
	}
	return nil
}

// Shape is the shape of input i.
func (c *Ctx) Shape(i int) ir.Shape { return c.In[i].Shape }

// Type is the type of input i.
func (c *Ctx) Type(i int) ir.DType { return c.In[i].Type }

// Axis normalises an axis that may be negative.
func Axis(axis int64, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += int64(rank)
	}
	if a < 0 || a >= int64(rank) {
		return 0, fmt.Errorf("axis %d is outside rank %d", axis, rank)
	}
	return int(a), nil
}

// Axes normalises a list of axes into a mask over the dimensions.
func Axes(axes []int64, rank int) ([]bool, error) {
	mask := make([]bool, rank)
	for _, a := range axes {
		i, err := Axis(a, rank)
		if err != nil {
			return nil, err
		}
		if mask[i] {
			return nil, fmt.Errorf("axis %d is given twice", a)
		}
		mask[i] = true
	}
	return mask, nil
}

// ConstInts is the content of a constant integer input. It is not ok if the input is absent or not constant.
func (c *Ctx) ConstInts(i int) (v []int64, ok bool) {
	return ConstInts(c.Input(i))
}

// ConstInts is the content of a constant integer value. It is not ok if v is nil or not constant.
func ConstInts(v *ir.Value) ([]int64, bool) {
	if !v.IsConst() {
		return nil, false
	}
	switch d := v.Const.Data.(type) {
	case []int64:
		return d, true
	case []int32:
		out := make([]int64, len(d))
		for i, x := range d {
			out[i] = int64(x)
		}
		return out, true
	}
	return nil, false
}

// SameType checks that the given inputs have the type of input i.
func (c *Ctx) SameType(i int, others ...int) error {
	for _, o := range others {
		if v := c.Input(o); v != nil && v.Type != c.Type(i) {
			return fmt.Errorf("inputs %d and %d: types differ", i, o)
		}
	}
	return nil
}

// Broadcast is the common shape of a and b by the rules of ONNX (numpy).
func Broadcast(a, b ir.Shape) (ir.Shape, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := a.Clone()
	off := len(a) - len(b)
	for i, d := range b {
		switch e := out[off+i]; {
		case d == e || d == 1:
		case e == 1:
			out[off+i] = d
		default:
			return nil, fmt.Errorf("shapes %s and %s do not broadcast", a, b)
		}
	}
	return out, nil
}

// Verify checks the structure of g, infers every node again, and compares the results with the recorded types and shapes.
func Verify(g *ir.Graph) error {
	if err := ir.Verify(g); err != nil {
		return err
	}
	var first error
	g.Walk(func(n *ir.Node) {
		if first != nil {
			return
		}
		trial := *n
		trial.Out = make([]*ir.Value, len(n.Out))
		for i, v := range n.Out {
			if v != nil {
				trial.Out[i] = &ir.Value{Name: v.Name}
			}
		}
		if first = Infer(&trial); first != nil {
			return
		}
		for i, v := range n.Out {
			if v != nil && (trial.Out[i].Type != v.Type || !trial.Out[i].Shape.Equal(v.Shape)) {
				first = fmt.Errorf("graph %s: node %s: output %s is inferred as %s%s", g.Name, n.Name, v, trial.Out[i].Type, trial.Out[i].Shape)
				return
			}
		}
	})
	return first
}

// attribute kinds
var (
	kInt    any = int64(0)
	kFloat  any = float32(0)
	kString any = ""
	kInts   any = []int64(nil)
	kTensor any = (*tensor.Tensor)(nil)
	kGraph  any = (*ir.Graph)(nil)
)
