package op

import (
	"fmt"

	"rnas/compiler/ir"
)

// qlinear is a row of the table of operators on quantised tensors: the floating-point operator that the operator stands for, and
// where its operands are. An operand is the position of data; scale and zero point follow the data.
type qlinear struct {
	domain, name string
	op           string
	in           Arity
	operands     []int
	repeat       bool // the last operand may be repeated
	bias         int  // of int32, 0 for none; its scale is the product of those of the operands
	result       int  // position of the scale of the result; its zero point follows
	attrs        []Attr
}

var qlinears = []qlinear{
	{"", "QLinearConv", "Conv", Arity{8, 9}, []int{0, 3}, false, 8, 6, append([]Attr{{"group", kInt, false}}, windowAttrs...)},
	{"", "QLinearMatMul", "MatMul", Arity{8, 8}, []int{0, 3}, false, 0, 6, nil},
	{Microsoft, "QLinearAdd", "Add", Arity{2, 8}, []int{0, 3}, false, 0, 6, nil},
	{Microsoft, "QLinearMul", "Mul", Arity{2, 8}, []int{0, 3}, false, 0, 6, nil},
	{Microsoft, "QLinearConcat", "Concat", Arity{4, -1}, []int{2}, true, 0, 0, []Attr{{"axis", kInt, true}}},
	{Microsoft, "QLinearSigmoid", "Sigmoid", Arity{2, 5}, []int{0}, false, 0, 3, nil},
	{Microsoft, "QLinearLeakyRelu", "LeakyRelu", Arity{2, 5}, []int{0}, false, 0, 3, []Attr{{"alpha", kFloat, false}}},
	{Microsoft, "QLinearGlobalAveragePool", "GlobalAveragePool", Arity{5, 5}, []int{0}, false, 0, 3, []Attr{{"channels_last", kInt, false}}},
	{Microsoft, "QLinearAveragePool", "AveragePool", Arity{2, 5}, []int{0}, false, 0, 3, append([]Attr{
		{"ceil_mode", kInt, false},
		{"count_include_pad", kInt, false},
		{"channels_last", kInt, false},
	}, windowAttrs...)},
	{Microsoft, "QLinearSoftmax", "Softmax", Arity{5, 5}, []int{0}, false, 0, 3, []Attr{{"axis", kInt, false}, {"opset", kInt, false}}},
	{Microsoft, "QGemm", "Gemm", Arity{2, 9}, []int{0, 3}, false, 6, 7, []Attr{
		{"transA", kInt, false},
		{"transB", kInt, false},
		{"alpha", kFloat, false},
	}},
}

func init() {
	for _, q := range qlinears {
		register([]Op{{Name: q.name, Domain: q.domain, In: q.in, Out: Arity{1, 1}, Attrs: q.attrs, Infer: q.infer}})
	}
	register([]Op{
		{
			Name: "ConvInteger", In: Arity{2, 4}, Out: Arity{1, 1},
			Attrs: append([]Attr{{"group", kInt, false}}, windowAttrs...), Infer: integer("Conv"),
		},
		{Name: "MatMulInteger", In: Arity{2, 4}, Out: Arity{1, 1}, Infer: integer("MatMul")},
	})
}

// Operand is a quantised tensor: the real numbers (Data - Zero) * Scale, where scale and zero point vary along Axis if
// they are vectors. Zero may be nil. Input is the place of Data among the inputs of the node.
type Operand struct {
	Data, Scale, Zero *ir.Value
	Axis              int
	Input             int
}

// QLinear is an operator on quantised tensors as the floating-point operator that it stands for: Op with the attributes Attrs on
// the operands, and on the bias if Bias.Data is not nil. The result is quantised with Scale and Zero; it stays real if Scale is
// nil.
type QLinear struct {
	Op          string
	Attrs       ir.Attrs
	Operands    []Operand
	Bias        Operand // int32, without a scale
	Scale, Zero *ir.Value
}

// QLinears lists domain and name of the operators that QLinearOf reads.
func QLinears() [][2]string {
	var list [][2]string
	for _, row := range qlinears {
		list = append(list, [2]string{row.domain, row.name})
	}
	return list
}

// QLinearOf reads n. It is not ok for other operators.
func QLinearOf(n *ir.Node) (q QLinear, ok bool) {
	for _, row := range qlinears {
		if row.domain == n.Domain && row.name == n.Op {
			return row.read(n), true
		}
	}
	return q, false
}

func (row qlinear) read(n *ir.Node) QLinear {
	q := QLinear{Op: row.op, Attrs: ir.Attrs{}, Scale: n.Input(row.result), Zero: n.Input(row.result + 1)}
	for _, name := range n.Attrs.Names() {
		if name != "channels_last" && name != "opset" {
			q.Attrs[name] = n.Attrs[name]
		}
	}
	at := row.operands
	for i := at[len(at)-1] + 3; row.repeat && i < len(n.In); i += 3 {
		at = append(at[:len(at):len(at)], i)
	}
	for k, i := range at {
		o := Operand{Data: n.Input(i), Scale: n.Input(i + 1), Zero: n.Input(i + 2), Input: i}
		switch {
		case row.op == "Gemm" && k == 1 && n.Int("transB", 0) == 0:
			o.Axis = 1
		case row.op == "MatMul" && o.Data != nil:
			o.Axis = max(o.Data.Rank()-2+k, 0)
		}
		q.Operands = append(q.Operands, o)
	}
	if row.bias > 0 {
		q.Bias = Operand{Data: n.Input(row.bias), Input: row.bias}
	}
	return q
}

func (row qlinear) infer(c *Ctx) error {
	q := row.read(c.Node)
	if c.Int("channels_last", 0) != 0 {
		return fmt.Errorf("attribute channels_last=1 is not supported")
	}
	if row.op == "Softmax" && c.Int("opset", 13) < 13 {
		return fmt.Errorf("attribute opset=%d: Softmax over several dimensions is not supported", c.Int("opset", 13))
	}
	var in []*ir.Value
	for _, o := range q.Operands {
		if err := o.check(); err != nil {
			return fmt.Errorf("input %d: %w", o.Input, err)
		}
		in = append(in, o.Data)
	}
	if b := q.Bias.Data; b != nil {
		if b.Type != ir.Int32 {
			return fmt.Errorf("bias: expected int32, found %s", b.Type)
		}
		in = append(in, b)
	}
	shape, err := realShape(c, row.op, q.Attrs, in)
	if err != nil {
		return err
	}
	if q.Scale == nil && row.name == "QGemm" {
		return c.Set(0, q.Operands[0].Scale.Type, shape...)
	}
	if q.Scale == nil || !q.Scale.Type.IsFloat() || q.Scale.Shape.Numel() != 1 {
		return fmt.Errorf("scale of the result: expected one floating-point number, found %s", q.Scale)
	}
	to := q.Operands[0].Data.Type
	if q.Zero != nil {
		to = q.Zero.Type
	}
	if !Quantized(to) || q.Zero != nil && q.Zero.Shape.Numel() != 1 {
		return fmt.Errorf("zero point of the result: expected one number of a quantised type, found %s", q.Zero)
	}
	return c.Set(0, to, shape...)
}

func (o Operand) check() error {
	switch {
	case o.Data == nil || o.Scale == nil:
		return fmt.Errorf("data or scale is missing")
	case !Quantized(o.Data.Type):
		return fmt.Errorf("expected a quantised type, found %s", o.Data.Type)
	case !o.Scale.Type.IsFloat():
		return fmt.Errorf("scale: expected a floating-point type, found %s", o.Scale.Type)
	case o.Zero != nil && o.Zero.Type != o.Data.Type:
		return fmt.Errorf("zero point: expected %s, found %s", o.Data.Type, o.Zero.Type)
	}
	for _, v := range []*ir.Value{o.Scale, o.Zero} {
		if v == nil || v.Shape.Numel() == 1 || v.Rank() == 1 && o.Axis < o.Data.Rank() && v.Shape[0] == o.Data.Shape[o.Axis] {
			continue
		}
		if s, err := Broadcast(v.Shape, o.Data.Shape); err != nil || v.Rank() != o.Data.Rank() || !s.Equal(o.Data.Shape) {
			return fmt.Errorf("scale or zero point %s does not fit %s along axis %d", v.Shape, o.Data.Shape, o.Axis)
		}
	}
	return nil
}

// realShape is the shape of the result of a floating-point operator on tensors of the given shapes.
func realShape(c *Ctx, name string, attrs ir.Attrs, in []*ir.Value) (ir.Shape, error) {
	n := &ir.Node{Name: c.Name, Op: name, Attrs: attrs, Out: []*ir.Value{{}}}
	for _, v := range in {
		n.In = append(n.In, &ir.Value{Name: v.Name, Type: ir.Float32, Shape: v.Shape})
	}
	if err := Lookup("", name).Infer(&Ctx{n}); err != nil {
		return nil, err
	}
	return n.Out[0].Shape, nil
}

// integer infers an operator on 8-bit integers with optional zero points, whose results are int32.
func integer(name string) func(c *Ctx) error {
	return func(c *Ctx) error {
		for i := range 2 {
			o := Operand{Data: c.In[i], Scale: &ir.Value{Type: ir.Float32}, Zero: c.Input(2 + i)}
			if name == "MatMul" {
				o.Axis = max(o.Data.Rank()-2+i, 0)
			}
			if err := o.check(); err != nil {
				return fmt.Errorf("input %d: %w", i, err)
			}
		}
		shape, err := realShape(c, name, c.Attrs, c.In[:2])
		if err != nil {
			return err
		}
		return c.Set(0, ir.Int32, shape...)
	}
}
