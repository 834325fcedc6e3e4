package grad

import (
	"rnas/compiler/ir"
)

func axis(a int64) ir.Attrs { return ir.Attrs{"axis": a} }

func elementwiseRows() []row {
	rows := []row{
		{op: "Abs", in: args(x(3, 4))},
		{op: "Relu", in: args(x(3, 4))},
		{op: "Log", in: args(pos(3, 4))},
		{op: "Sqrt", in: args(pos(3, 4))},
		{op: "Reciprocal", in: args(pos(3, 4))},
		{op: "Reciprocal", in: args(between(-2, -0.5, 3))},
		{op: "Erf", in: args(x(3, 4))},
		{op: "HardSigmoid", in: args(between(-4, 4, 4, 5))},
		{op: "HardSigmoid", in: args(between(-4, 4, 4, 5)), attrs: ir.Attrs{"alpha": float32(0.5), "beta": float32(0.25)}},
		{op: "HardSwish", in: args(between(-5, 5, 4, 5))},
		{op: "LeakyRelu", in: args(x(3, 4))},
		{op: "LeakyRelu", in: args(x(3, 4)), attrs: ir.Attrs{"alpha": float32(0.25)}},
		{op: "Elu", in: args(x(3, 4))},
		{op: "Elu", in: args(x(3, 4)), attrs: ir.Attrs{"alpha": float32(0.5)}},
		{op: "Cast", in: args(x(3, 4)), attrs: ir.Attrs{"to": int64(ir.Float32)}},
		{op: "Dropout", in: args(x(3, 4))},
		{op: "Dropout", in: args(x(3, 4), number(0.5)), outs: 2},
		{op: "Clip", in: args(x(4, 5))},
		{op: "Clip", in: args(x(4, 5), number(-1))},
		{op: "Clip", in: args(x(4, 5), none(), number(1))},
		{op: "Clip", in: args(x(4, 5), number(-0.5), number(0.75))},
		{op: "Clip", in: args(x(4, 5), between(-1, -0.5), between(0.5, 1))},
		{op: "Clip", in: args(x(4, 5), none(), between(0, 0.5, 1))},
		{op: "Clip", in: args(x(4, 5), between(0.5, 1), between(-1, -0.5))},
		{op: "Pow", in: args(pos(3, 4), x(3, 4))},
		{op: "Pow", in: args(pos(3, 1), x(4))},
		{op: "Pow", in: args(pos(), x(2, 3))},
		{op: "Pow", in: args(x(3, 4), number(2))},
		{op: "Pow", in: args(x(3, 4), number(3))},
		{op: "Pow", in: args(x(3, 4), ints(0, 1, 2, 3))},
		{op: "Pow", in: args(pos(3, 4), number(-1.5))},
		{op: "Pow", in: args(number(2), x(3))},
		{op: "Where", in: args(flags(true, false, true), x(2, 3), x(2, 3))},
		{op: "Where", in: args(flags(true, false, true), x(2, 1), x(3))},
		{op: "Where", in: args(flags(true, false, true), x(), number(0))},
	}
	for _, name := range []string{"Identity", "Neg", "Exp", "Sigmoid", "Tanh", "Softplus", "Softsign", "Sin", "Cos"} {
		rows = append(rows, row{op: name, in: args(x(3, 4))}, row{op: name, in: args(x())})
	}
	for _, name := range []string{"Softmax", "LogSoftmax"} {
		rows = append(rows, row{op: name, in: args(x(3, 4))}, row{op: name, in: args(x(5))})
		for a := int64(-3); a < 3; a++ {
			rows = append(rows, row{op: name, in: args(x(2, 3, 4)), attrs: axis(a)})
		}
	}
	for _, name := range []string{"Add", "Sub", "Mul", "Div"} {
		for _, shapes := range broadcasts {
			rows = append(rows, row{op: name, in: args(x(shapes[0]...), pos(shapes[1]...))})
		}
		rows = append(rows, row{op: name, in: args(number(3), pos(2, 3))}, row{op: name, in: args(x(2, 3), number(3))})
	}
	for _, name := range []string{"Sum", "Mean", "Max", "Min"} {
		for _, shapes := range broadcasts {
			rows = append(rows, row{op: name, in: args(x(shapes[0]...), x(shapes[1]...))})
		}
		rows = append(rows,
			row{op: name, in: args(x(2, 3))},
			row{op: name, in: args(x(2, 3), x(3), x(), x(2, 1))},
			row{op: name, in: args(x(2, 3), number(0.25), x(2, 3))})
	}
	return rows
}

var broadcasts = [][2][]int64{
	{{2, 3}, {2, 3}},
	{{2, 3}, {3}},
	{{3}, {2, 3}},
	{{2, 3}, {}},
	{{}, {2, 3}},
	{{2, 1}, {1, 3}},
	{{2, 3, 4}, {3, 1}},
	{{1, 1}, {2, 1, 3}},
	{{2, 3, 2, 2}, {1, 3, 1, 1}},
	{{}, {}},
	{{1}, {}},
}
