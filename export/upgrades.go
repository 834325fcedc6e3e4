package export

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// scalesToInput turns the list of factors of the first Upsample into an input.
func scalesToInput(r *reader, n *ir.Node) error {
	v, err := take[[]float32](n, "scales")
	if err != nil {
		return err
	}
	if v == nil {
		return fmt.Errorf("attribute scales is missing")
	}
	r.addInput(n, "scales", tensor.Vector(*v...))
	return nil
}

// firstResize states what resizing by factors meant before its choices became attributes; ONNX Runtime keeps that meaning
// (ResizeNearestMode::SIMPLE): the nearest element is the next lower one where an axis grows and the next upper one where
// it shrinks.
func firstResize(_ *reader, n *ir.Node) error {
	if len(n.In) != 2 {
		return fmt.Errorf("expected 2 inputs, found %d", len(n.In))
	}
	up, down := false, false
	if n.In[1].IsConst() {
		for _, s := range n.In[1].Const.Float64s() {
			up, down = up || s > 1, down || s < 1
		}
	}
	if up && down && n.Str("mode", "nearest") == "nearest" {
		return fmt.Errorf("axes that grow and shrink to the nearest element are not supported in one node")
	}
	n.In = []*ir.Value{n.In[0], nil, n.In[1]}
	set(n, "coordinate_transformation_mode", "asymmetric")
	set(n, "nearest_mode", "floor")
	if down {
		set(n, "nearest_mode", "ceil")
	}
	return nil
}

// inferenceOnly refuses the training outputs of old batch normalisations, whose meaning was not settled.
func inferenceOnly(_ *reader, n *ir.Node) error {
	for i, v := range n.Out {
		if i > 0 && v != nil {
			return fmt.Errorf("output %d (%s) of training is not supported", i, v.Name)
		}
	}
	if len(n.Out) > 1 {
		n.Out = n.Out[:1]
	}
	return nil
}

// castAttributes removes the attributes that say how to convert to 8-bit floats where a cast goes elsewhere.
func castAttributes(_ *reader, n *ir.Node) error {
	to := ir.DType(n.Int("to", 0))
	if like := n.Input(1); like != nil {
		to = like.Type
	}
	if !to.IsSmall() {
		delete(n.Attrs, "saturate")
		delete(n.Attrs, "round_mode")
	}
	return nil
}

// countOutputs states the number of equal parts, which operator set 18 asks for where no sizes are given.
func countOutputs(_ *reader, n *ir.Node) error {
	if n.Input(1) == nil {
		set(n, "num_outputs", int64(len(n.Out)))
	}
	return nil
}

// groupsToChannels repeats scale and bias of a group for each of its channels.
func groupsToChannels(r *reader, n *ir.Node) ([]*ir.Node, error) {
	groups := n.Int("num_groups", 0)
	if len(n.In) != 3 || n.In[0].Rank() < 2 || groups < 1 || n.In[0].Shape[1]%groups != 0 {
		return nil, fmt.Errorf("expected 3 inputs, and groups that divide the channels")
	}
	ids := make([]int64, n.In[0].Shape[1])
	for i := range ids {
		ids[i] = int64(i) / (int64(len(ids)) / groups)
	}
	var nodes []*ir.Node
	for i, v := range n.In[1:] {
		made := &ir.Node{Name: base(n) + "/Gather", Op: "Gather", In: []*ir.Value{v}}
		r.addInput(made, "channels", tensor.Vector(ids...))
		made.Out = []*ir.Value{{Name: r.names.fresh(made.Name + ".out"), Def: made}}
		n.In[1+i] = made.Out[0]
		nodes = append(nodes, made)
	}
	return append(nodes, n), nil
}

// flattenedSoftmax converts the Softmax over all dimensions from an axis (by default 1) on to one over a single
// dimension: directly where the others have size 1, and else between two Reshapes.
func flattenedSoftmax(r *reader, n *ir.Node) ([]*ir.Node, error) {
	x := n.Input(0)
	if x == nil || len(n.Out) != 1 || n.Out[0] == nil {
		return nil, fmt.Errorf("expected one input and one output")
	}
	axis, err := op.Axis(n.Int("axis", 1), x.Rank())
	if err != nil {
		return nil, err
	}
	wide := []int{}
	for i := axis; i < x.Rank(); i++ {
		if x.Shape[i] != 1 {
			wide = append(wide, i)
		}
	}
	switch len(wide) {
	case 0:
		set(n, "axis", int64(axis))
		return nil, nil
	case 1:
		set(n, "axis", int64(wide[0]))
		return nil, nil
	}
	if !x.Shape[axis:].Static() {
		return nil, fmt.Errorf("shape %s from axis %d on is symbolic", x.Shape, axis)
	}
	back := make([]int64, x.Rank())
	for i, d := range x.Shape {
		if back[i] = d; d == ir.N {
			back[i] = 0 // copies the dimension
		}
	}
	flat := append(slices.Clone(back[:axis]), x.Shape[axis:].Numel())
	set(n, "axis", int64(axis))
	before := r.reshape(n, x, flat)
	after := r.reshape(n, nil, back)
	after.Out, n.Out = n.Out, after.Out
	after.In[0] = n.Out[0]
	n.In[0] = before.Out[0]
	for _, made := range []*ir.Node{before, n, after} {
		made.Out[0].Def = made
	}
	return []*ir.Node{before, n, after}, nil
}

// reshape makes a Reshape of x whose name derives from n.
func (r *reader) reshape(n *ir.Node, x *ir.Value, shape []int64) *ir.Node {
	made := &ir.Node{Name: base(n) + "/Reshape", Op: "Reshape", In: []*ir.Value{x}}
	r.addInput(made, "shape", tensor.Vector(shape...))
	made.Out = []*ir.Value{{Name: r.names.fresh(made.Name + ".out"), Def: made}}
	return made
}
