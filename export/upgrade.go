package export

import (
	"errors"
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// upgrade converts the node of an operator from the form that files from one operator set to below another use to the
// form of operator set 18. The types and shapes of its inputs are known, those of its outputs not yet. A function
// returns the nodes that replace n, or nil when it changed n itself. Rows are applied in order.
type upgrade struct {
	from, below int
	ops         []string
	apply       func(r *reader, n *ir.Node) ([]*ir.Node, error)
}

const newer = newestOpset + 1

// The forms are those of https://github.com/onnx/onnx/blob/main/docs/Changelog.md.
var upgrades = []upgrade{
	{oldestRead, 9, []string{"BatchNormalization"}, inPlace(dropDefault("spatial", int64(1)))},
	{oldestRead, 14, []string{"BatchNormalization"}, inPlace(inferenceOnly)},
	{oldestRead, 10, []string{"Slice"}, inPlace(intsToInputs("starts", "ends", "axes"))},
	{oldestRead, 10, []string{"TopK"}, inPlace(intToInput("k"))},
	{oldestRead, 9, []string{"Upsample"}, inPlace(scalesToInput)},
	{oldestRead, 11, []string{"Upsample", "Resize"}, inPlace(rename("Resize"), firstResize)},
	{oldestRead, 11, []string{"Clip"}, inPlace(floatsToInputs("min", "max"))},
	{oldestRead, 11, []string{"Pad"}, inPlace(intsToInputs("pads"), floatsToInputs("value"))},
	{oldestRead, 9, []string{"Scan"}, inPlace(refuse("the form of Scan with a batch and sequence lengths is not supported"))},
	{9, 11, []string{"Scatter"}, inPlace(rename("ScatterElements"))},
	{oldestRead, 12, []string{"Dropout"}, inPlace(floatsToInputs("ratio"))},
	{oldestRead, 13, []string{"Squeeze", "Unsqueeze", "ReduceSum"}, inPlace(intsToInputs("axes"))},
	{oldestRead, 13, []string{"Split"}, inPlace(intsToInputs("split"))},
	{oldestRead, 13, []string{"Softmax", "LogSoftmax", "Hardmax"}, flattenedSoftmax},
	{oldestRead, 18, []string{
		"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
		"ReduceLogSum", "ReduceLogSumExp",
	}, inPlace(intsToInputs("axes"))},
	{oldestRead, 18, []string{"Split"}, inPlace(countOutputs)},
	{19, newer, []string{"Cast", "CastLike"}, inPlace(castAttributes)},
	{18, 21, []string{"GroupNormalization"}, groupsToChannels},
	{16, 20, []string{"GridSample"}, inPlace(renameMode("bilinear", "linear"), renameMode("bicubic", "cubic"))},
}

var conversions = slices.Concat(legacy, upgrades)

// upgrade applies the rows for n and returns the resulting nodes.
func (r *reader) upgrade(n *ir.Node) ([]*ir.Node, error) {
	if n.Domain != "" {
		return []*ir.Node{n}, nil
	}
	for _, u := range conversions {
		if r.opset < u.from || r.opset >= u.below || !slices.Contains(u.ops, n.Op) {
			continue
		}
		nodes, err := u.apply(r, n)
		if err != nil {
			return nil, fmt.Errorf("operator set %d: %w", r.opset, err)
		}
		if nodes != nil {
			return nodes, nil
		}
	}
	return []*ir.Node{n}, nil
}

// edit changes a node.
type edit func(r *reader, n *ir.Node) error

func inPlace(edits ...edit) func(*reader, *ir.Node) ([]*ir.Node, error) {
	return func(r *reader, n *ir.Node) ([]*ir.Node, error) {
		for _, e := range edits {
			if err := e(r, n); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
}

// constant makes a value that holds t.
func constant(t *tensor.Tensor) *ir.Value {
	return &ir.Value{Type: t.DType(), Shape: t.Shape, Const: t}
}

// addInput appends t, nil for an absent optional input, to the inputs of n.
func (r *reader) addInput(n *ir.Node, name string, t *tensor.Tensor) {
	if t == nil {
		n.In = append(n.In, nil)
		return
	}
	v := constant(t)
	v.Name = r.names.fresh(base(n) + "." + name)
	n.In = append(n.In, v)
}

// base is what names of values made for n start with.
func base(n *ir.Node) string {
	if n.Name == "" {
		return n.Op
	}
	return n.Name
}

// take removes an attribute and returns its value; nil when it is absent.
func take[T any](n *ir.Node, name string) (*T, error) {
	a, ok := n.Attrs[name]
	if !ok {
		return nil, nil
	}
	v, ok := a.(T)
	if !ok {
		return nil, fmt.Errorf("attribute %s: expected %T, found %T", name, v, a)
	}
	delete(n.Attrs, name)
	return &v, nil
}

// intsToInputs turns integer-list attributes into inputs behind those that n has.
func intsToInputs(names ...string) edit {
	return func(r *reader, n *ir.Node) error {
		for _, name := range names {
			v, err := take[[]int64](n, name)
			if err != nil {
				return err
			}
			if v == nil {
				r.addInput(n, name, nil)
				continue
			}
			r.addInput(n, name, tensor.Vector(*v...))
		}
		trim(n)
		return nil
	}
}

// floatsToInputs turns float attributes into scalar inputs of the type of the first one.
func floatsToInputs(names ...string) edit {
	return func(r *reader, n *ir.Node) error {
		for _, name := range names {
			v, err := take[float32](n, name)
			if err != nil {
				return err
			}
			if v == nil {
				r.addInput(n, name, nil)
				continue
			}
			if n.Input(0) == nil || !n.In[0].Type.IsFloat() {
				return fmt.Errorf("attribute %s needs a first input of floats", name)
			}
			r.addInput(n, name, tensor.FromFloat64s(n.In[0].Type, nil, []float64{float64(*v)}))
		}
		trim(n)
		return nil
	}
}

// intToInput turns a required integer attribute into an input of shape [1].
func intToInput(name string) edit {
	return func(r *reader, n *ir.Node) error {
		v, err := take[int64](n, name)
		if err != nil {
			return err
		}
		if v == nil {
			return fmt.Errorf("attribute %s is missing", name)
		}
		r.addInput(n, name, tensor.Vector(*v))
		return nil
	}
}

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

// trim removes absent inputs at the end.
func trim(n *ir.Node) {
	for len(n.In) > 0 && n.In[len(n.In)-1] == nil {
		n.In = n.In[:len(n.In)-1]
	}
}

func dropDefault(name string, value any) edit {
	return func(_ *reader, n *ir.Node) error {
		if v, ok := n.Attrs[name]; ok && v != value {
			return fmt.Errorf("attribute %s=%v is not supported", name, v)
		}
		delete(n.Attrs, name)
		return nil
	}
}

func refuse(why string) edit {
	return func(*reader, *ir.Node) error { return errors.New(why) }
}

func rename(op string) edit {
	return func(_ *reader, n *ir.Node) error {
		n.Op = op
		return nil
	}
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

// renameMode gives a value of the attribute mode another name.
func renameMode(from, to string) edit {
	return func(_ *reader, n *ir.Node) error {
		if n.Str("mode", "") == from {
			set(n, "mode", to)
		}
		return nil
	}
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

// constantNode turns a Constant node into a constant.
func (r *reader) constantNode(p *nodeProto, attrs map[string]any, s *scope) error {
	if len(p.in) != 0 || len(p.out) != 1 || len(attrs) != 1 {
		return fmt.Errorf("expected 0 inputs, 1 output and 1 attribute, found %d, %d and %d", len(p.in), len(p.out), len(attrs))
	}
	name := sortedKeys(attrs)[0]
	var t *tensor.Tensor
	switch v := attrs[name].(type) {
	case *tensor.Tensor:
		t = v
	case int64:
		t = tensor.Scalar(v)
	case float32:
		t = tensor.Scalar(v)
	case string:
		t = tensor.Scalar(v)
	case []int64:
		t = tensor.Vector(v...)
	case []float32:
		t = tensor.Vector(v...)
	case []string:
		t = tensor.Vector(v...)
	default:
		return fmt.Errorf("attribute %s is not supported", name)
	}
	return r.define(s, p.out[0], constant(t))
}
