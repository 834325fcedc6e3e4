package op

import "rnas/compiler/ir"

// Concat joins tensors along axis.
func (b B) Concat(axis int64, x ...*ir.Value) *ir.Value {
	return b.One("Concat", ir.Attrs{"axis": axis}, x...)
}

// Reshape gives x the dimensions dims; 0 copies one and -1 is the rest. If x has that static shape, it is returned as it is.
func (b B) Reshape(x *ir.Value, dims ...int64) *ir.Value {
	if x.Shape.Equal(dims) && x.Shape.Static() && x.Shape.Numel() != 0 {
		return x
	}
	return b.One("Reshape", nil, x, b.Ints(dims...))
}

// Flatten merges all dimensions but the first: [N,...] to [N,K].
func (b B) Flatten(x *ir.Value) *ir.Value { return b.One("Flatten", ir.Attrs{"axis": int64(1)}, x) }

// Transpose permutes the dimensions: dimension i of the result is perm[i] of x.
func (b B) Transpose(x *ir.Value, perm ...int64) *ir.Value {
	return b.One("Transpose", ir.Attrs{"perm": perm}, x)
}

// Slice takes the elements from start to before end by step along each of axes.
func (b B) Slice(x *ir.Value, starts, ends, axes, steps []int64) *ir.Value {
	return b.One("Slice", nil, x, b.Ints(starts...), b.Ints(ends...), b.Ints(axes...), b.Ints(steps...))
}

// Split cuts x along axis into parts of the given sizes.
func (b B) Split(x *ir.Value, axis int64, sizes ...int64) []*ir.Value {
	return b.Node("Split", ir.Attrs{"axis": axis}, len(sizes), x, b.Ints(sizes...))
}

// Expand broadcasts x to dims.
func (b B) Expand(x *ir.Value, dims ...int64) *ir.Value {
	return b.One("Expand", nil, x, b.Ints(dims...))
}

// ExpandLike broadcasts x to the shape of like, which may have a symbolic batch.
func (b B) ExpandLike(x, like *ir.Value) *ir.Value {
	switch {
	case x.Shape.Equal(like.Shape):
		return x
	case like.Shape.Static():
		return b.Expand(x, like.Shape...)
	}
	return b.One("Expand", nil, x, b.One("Shape", nil, like))
}

// ReshapeLike gives x the shape of like, of which at most one dimension may be symbolic.
func (b B) ReshapeLike(x, like *ir.Value) *ir.Value {
	if x.Shape.Equal(like.Shape) {
		return x
	}
	dims := like.Shape.Clone()
	for i, d := range dims {
		if d == ir.N {
			dims[i] = -1
		}
	}
	return b.Reshape(x, dims...)
}

// Squeeze removes the given dimensions, which have size 1.
func (b B) Squeeze(x *ir.Value, axes ...int64) *ir.Value {
	return b.One("Squeeze", nil, x, b.Ints(axes...))
}

// Unsqueeze inserts dimensions of size 1 at the given places of the result.
func (b B) Unsqueeze(x *ir.Value, axes ...int64) *ir.Value {
	return b.One("Unsqueeze", nil, x, b.Ints(axes...))
}

// Pad adds zeros. pads lists the numbers at the begins of all dimensions, then at the ends.
func (b B) Pad(x *ir.Value, pads ...int64) *ir.Value {
	return b.One("Pad", nil, x, b.Ints(pads...), b.Float(x, 0))
}

// Gather takes the slices of x at indices along axis.
func (b B) Gather(x, indices *ir.Value, axis int64) *ir.Value {
	return b.One("Gather", ir.Attrs{"axis": axis}, x, indices)
}
