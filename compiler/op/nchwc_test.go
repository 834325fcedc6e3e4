package op

import (
	"testing"

	"rnas/compiler/ir"
)

func TestInferNCHWc(t *testing.T) {
	window := func(more ir.Attrs) ir.Attrs {
		a := ir.Attrs{Block: int64(8), "kernel_shape": []int64{3, 3}, "pads": []int64{1, 1, 1, 1}}
		for name, v := range more {
			a[name] = v
		}
		return a
	}
	block := ir.Attrs{Block: int64(8)}
	for _, c := range []struct {
		name string
		inferCase
	}{
		{"reorder", inferCase{op: "ReorderInput", in: list(f32(n, 16, 4, 5)), attrs: block, want: "float32[N,16,4,5]"}},
		{"back", inferCase{op: "ReorderOutput", in: list(f32(2, 16, 4, 5)), attrs: ir.Attrs{Block: int64(8), "channels": int64(16)}, want: "float32[2,16,4,5]"}},
		{"channels last", inferCase{op: "ReorderInput", in: list(f32(n, 4, 5, 16)), attrs: ir.Attrs{Block: int64(8), "channels_last": int64(1)}, want: "float32[N,16,4,5]"}},
		{"part of a block, channels last", inferCase{op: "ReorderInput", in: list(f32(2, 8, 8, 12)), attrs: ir.Attrs{Block: int64(8), "channels_last": int64(1)}, err: "expected float32 [N,H,W,C] with C a multiple of 8"}},
		{"part of a block", inferCase{op: "ReorderInput", in: list(f32(2, 12, 4, 4)), attrs: block, err: "expected float32 [N,C,H,W] with C a multiple of 8"}},
		{"other type", inferCase{op: "ReorderInput", in: list(f64(2, 16, 4, 4)), attrs: block, err: "expected float32 [N,C,H,W] with C a multiple of 8"}},
		{"no block", inferCase{op: "ReorderInput", in: list(f32(2, 16, 4, 4)), attrs: ir.Attrs{Block: int64(0)}, err: "attribute __block: expected a positive number, found 0"}},
		{"wrong channels", inferCase{op: "ReorderOutput", in: list(f32(2, 16, 4, 4)), attrs: ir.Attrs{Block: int64(8), "channels": int64(8)}, err: "attribute channels: expected a number that ends in the last block of 16, found 8"}},
		{"fewer channels", inferCase{op: "ReorderOutput", in: list(f32(2, 16, 4, 4)), attrs: ir.Attrs{Block: int64(8), "channels": int64(12)}, want: "float32[2,12,4,4]"}},
		{"plain image", inferCase{op: "Conv", in: list(f32(2, 3, 4, 4), f32(8, 3, 3, 3)), attrs: window(nil), want: "float32[2,8,4,4]"}},
		{"depthwise", inferCase{op: "Conv", in: list(f32(n, 16, 4, 4), f32(16, 1, 3, 3)), attrs: window(ir.Attrs{"group": int64(16)}), want: "float32[N,16,4,4]"}},
		{"dense", inferCase{op: "Conv", in: list(f32(2, 16, 4, 4), f32(8, 16, 3, 3)), attrs: window(nil), want: "float32[2,8,4,4]"}},
		{"dense, odd output", inferCase{op: "Conv", in: list(f32(2, 16, 4, 4), f32(12, 16, 3, 3)), attrs: window(nil), err: "expected channels that are multiples of 8"}},
		{"sum", inferCase{op: "Conv", in: list(f32(2, 16, 4, 4), f32(8, 16, 3, 3), nil, f32(2, 16, 4, 4)), attrs: window(nil), err: "sum: expected float32[2,8,4,4]"}},
		{"activation", inferCase{op: "Conv", in: list(f32(2, 16, 4, 4), f32(8, 16, 3, 3)), attrs: window(ir.Attrs{"activation": "Tanh"}), err: `attribute activation: "Tanh" is not known`}},
		{"pool", inferCase{op: "MaxPool", in: list(f32(2, 16, 4, 4)), attrs: window(nil), want: "float32[2,16,4,4]"}},
		{"global pool", inferCase{op: "GlobalAveragePool", in: list(f32(2, 16, 4, 4)), attrs: block, want: "float32[2,16,1,1]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := c.node(1)
			node.Domain = NCHWc
			err := Infer(node)
			switch got := node.Out[0].Type.String() + node.Out[0].Shape.String(); {
			case c.err != "" && (err == nil || err.Error() != "node n: "+NCHWc+"."+describe(node)[len("node n: "):]+": "+c.err):
				t.Errorf("expected error %q, found %v", c.err, err)
			case c.err == "" && (err != nil || got != c.want):
				t.Errorf("expected %s, found %s, %v", c.want, got, err)
			}
		})
	}
}
